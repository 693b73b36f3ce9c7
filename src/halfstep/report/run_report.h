// Writes a run, or evaluations, as one self-contained HTML page: no network access and no scripts,
// charts as inline SVG, pictures as data URLs. Suits light and dark schemes, wide and narrow
// screens.
#ifndef HALFSTEP_REPORT_RUN_REPORT_H_
#define HALFSTEP_REPORT_RUN_REPORT_H_

#include <string>
#include <string_view>
#include <vector>

#include "halfstep/report/evaluation_file.h"
#include "halfstep/train/run_directory.h"

namespace halfstep::report {

// Returns the page of a train or distill run, finished or not: samples, distances (if there are
// evaluations), loss and speed, time and work, settings, environment. Throws FormatError or IoError
// if a file of the run cannot be read.
std::string run_report(const RunDirectory& directory,
                       const std::vector<EvaluationFile>& evaluations);

// Returns a page of evaluations alone.
std::string evaluation_report(std::string_view title,
                              const std::vector<EvaluationFile>& evaluations);

}  // namespace halfstep::report

#endif  // HALFSTEP_REPORT_RUN_REPORT_H_
