// What `halfstep evaluate` measured, and its JSON file; docs/formats.md.
#ifndef HALFSTEP_REPORT_EVALUATION_FILE_H_
#define HALFSTEP_REPORT_EVALUATION_FILE_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "halfstep/metrics/evaluation_result.h"

namespace halfstep::report {

struct EvaluationFile {
  std::string version;  // of the halfstep that measured
  std::string features;
  std::string features_sha256;
  int64_t num_features = 0;
  std::string reference;      // the path of the images that distances are to
  std::string split;          // empty where the reference is no data set
  int64_t num_reference = 0;  // 0: not known, for of the reference only the moments were there
  std::string frechet_name;   // FID, or FD- and the network's name
  std::vector<metrics::EvaluationResult> results;
};

// Atomic. What is none is left out.
void write_evaluation_file(const std::filesystem::path& path, const EvaluationFile& evaluation);

// Throws IoError where there is no file, FormatError where it is not of this form or version.
EvaluationFile read_evaluation_file(const std::filesystem::path& path);

}  // namespace halfstep::report

#endif  // HALFSTEP_REPORT_EVALUATION_FILE_H_
