// What `halfstep evaluate` measured, and its JSON file; docs/formats.md.
#ifndef HALFSTEP_REPORT_EVALUATION_FILE_H_
#define HALFSTEP_REPORT_EVALUATION_FILE_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace halfstep {

// A set of samples. What was not asked for, or is not finite, is none.
struct EvaluationResult {
  std::string samples;  // the path given
  int64_t num = 0;
  std::optional<int64_t> steps = std::nullopt;  // of models, as are those up to first_seed
  std::optional<int64_t> evaluations = std::nullopt;
  std::optional<std::string> sampler = std::nullopt;
  std::optional<std::string> spacing = std::nullopt;
  std::optional<double> variance = std::nullopt;  // of the ancestral sampler: 0 small, 1 large
  std::optional<double> guidance = std::nullopt;  // none: off
  std::optional<int64_t> made_for_steps = std::nullopt;  // 0: a teacher
  std::optional<uint64_t> first_seed = std::nullopt;
  std::optional<double> seconds = std::nullopt;
  std::optional<double> frechet = std::nullopt;
  std::optional<double> kid = std::nullopt;
  std::optional<double> kid_std = std::nullopt;
  std::optional<double> inception_score = std::nullopt;
  std::optional<double> inception_score_std = std::nullopt;
  std::optional<double> precision = std::nullopt;
  std::optional<double> recall = std::nullopt;

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("samples", self.samples, "a path");
    visit("num", self.num, "an integer");
    visit("steps", self.steps, "an integer");
    visit("evaluations", self.evaluations, "an integer");
    visit("sampler", self.sampler, "a string");
    visit("spacing", self.spacing, "a string");
    visit("variance", self.variance, "a number");
    visit("guidance", self.guidance, "a number");
    visit("made_for_steps", self.made_for_steps, "an integer");
    visit("first_seed", self.first_seed, "an unsigned integer");
    visit("seconds", self.seconds, "a number");
    visit("frechet", self.frechet, "a number or null");
    visit("kid", self.kid, "a number or null");
    visit("kid_std", self.kid_std, "a number or null");
    visit("inception_score", self.inception_score, "a number or null");
    visit("inception_score_std", self.inception_score_std, "a number or null");
    visit("precision", self.precision, "a number or null");
    visit("recall", self.recall, "a number or null");
  }
};

struct EvaluationFile {
  std::string version;  // of the halfstep that measured
  std::string features;
  std::string features_sha256;
  int64_t num_features = 0;
  std::string reference;      // the path of the images that distances are to
  std::string split;          // empty where the reference is no data set
  int64_t num_reference = 0;  // 0: not known, for of the reference only the moments were there
  std::string frechet_name;   // FID, or FD- and the network's name
  std::vector<EvaluationResult> results;
};

// Atomic. What is none is left out.
void write_evaluation_file(const std::filesystem::path& path, const EvaluationFile& evaluation);

// Throws IoError where there is no file, FormatError where it is not of this form or version.
EvaluationFile read_evaluation_file(const std::filesystem::path& path);

}  // namespace halfstep

#endif  // HALFSTEP_REPORT_EVALUATION_FILE_H_
