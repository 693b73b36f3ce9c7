// The result of evaluating one set of samples.
#ifndef HALFSTEP_METRICS_EVALUATION_RESULT_H_
#define HALFSTEP_METRICS_EVALUATION_RESULT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "halfstep/diffusion/sample.h"
#include "halfstep/diffusion/schedule.h"

namespace halfstep::metrics {

// Metrics that were not computed, or that are not finite, are nullopt. The fields from `steps` to
// `first_seed` say how images were drawn from a model; they are nullopt for images from files.
struct EvaluationResult {
  std::string samples;  // the path of the model or of the images, set by the caller
  int64_t num = 0;      // number of images
  std::optional<int64_t> steps = std::nullopt;
  std::optional<int64_t> evaluations = std::nullopt;  // network calls per image (NFE)
  std::optional<Sampler> sampler = std::nullopt;
  std::optional<Spacing> spacing = std::nullopt;
  std::optional<double> variance = std::nullopt;  // of the ancestral sampler: 0 small, 1 large
  std::optional<double> guidance = std::nullopt;  // nullopt without guidance
  std::optional<int64_t> made_for_steps = std::nullopt;  // Sampling::num_steps; 0 for a teacher
  std::optional<uint64_t> first_seed = std::nullopt;
  // Images from files, if only some of them were used: the number that there are, and the seed of
  // the random choice.
  std::optional<int64_t> chosen_from = std::nullopt;
  std::optional<uint64_t> subset_seed = std::nullopt;
  std::optional<double> seconds = std::nullopt;  // wall time
  std::string frechet_name;                      // what `frechet` is called: see frechet_name()
  std::optional<double> frechet = std::nullopt;
  std::optional<double> kid = std::nullopt;
  std::optional<double> kid_std = std::nullopt;
  std::optional<double> inception_score = std::nullopt;
  std::optional<double> inception_score_std = std::nullopt;
  std::optional<double> precision = std::nullopt;
  std::optional<double> recall = std::nullopt;
  std::optional<double> agreement = std::nullopt;  // of the samples' classes
  // Of a model that restores images, to the originals (restoration_quality.h): means over images.
  std::optional<double> psnr = std::nullopt;  // dB
  std::optional<double> ssim = std::nullopt;
  std::optional<double> feature_distance = std::nullopt;

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("samples", self.samples, "a path");
    visit("num", self.num, "an integer");
    visit("steps", self.steps, "an integer");
    visit("evaluations", self.evaluations, "an integer");
    visit("sampler", self.sampler, "the name of a sampler");
    visit("spacing", self.spacing, "the name of a spacing");
    visit("variance", self.variance, "a number");
    visit("guidance", self.guidance, "a number");
    visit("made_for_steps", self.made_for_steps, "an integer");
    visit("first_seed", self.first_seed, "an unsigned integer");
    visit("chosen_from", self.chosen_from, "an integer");
    visit("subset_seed", self.subset_seed, "an unsigned integer");
    visit("seconds", self.seconds, "a number");
    visit("frechet_name", self.frechet_name, "a string");
    visit("frechet", self.frechet, "a number or null");
    visit("kid", self.kid, "a number or null");
    visit("kid_std", self.kid_std, "a number or null");
    visit("inception_score", self.inception_score, "a number or null");
    visit("inception_score_std", self.inception_score_std, "a number or null");
    visit("precision", self.precision, "a number or null");
    visit("recall", self.recall, "a number or null");
    visit("agreement", self.agreement, "a number or null");
    visit("psnr", self.psnr, "a number or null");
    visit("ssim", self.ssim, "a number or null");
    visit("feature_distance", self.feature_distance, "a number or null");
  }
};

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_EVALUATION_RESULT_H_
