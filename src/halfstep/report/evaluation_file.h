// The JSON file that `halfstep evaluate --json` writes; docs/formats.md describes it.
#ifndef HALFSTEP_REPORT_EVALUATION_FILE_H_
#define HALFSTEP_REPORT_EVALUATION_FILE_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "halfstep/metrics/evaluation_result.h"

namespace halfstep::report {

struct EvaluationFile {
  std::string version;          // of halfstep
  std::string features;         // name of the feature network
  std::string features_sha256;  // of its file
  int64_t num_features = 0;
  std::string reference;      // path of the reference images or moments
  std::string split;          // "train" or "test"; empty if the reference is not a data set
  int64_t num_reference = 0;  // 0 if unknown, as for moments
  std::vector<metrics::EvaluationResult> results;
};

// Writes the file atomically. Fields without a value are omitted.
void write_evaluation_file(const std::filesystem::path& path, const EvaluationFile& evaluation);

// Throws IoError if there is no file, and FormatError if it has another form or version.
EvaluationFile read_evaluation_file(const std::filesystem::path& path);

}  // namespace halfstep::report

#endif  // HALFSTEP_REPORT_EVALUATION_FILE_H_
