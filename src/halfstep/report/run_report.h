// A run, or evaluations, as one HTML file that needs nothing else: no network, no script; charts
// are inline SVG and pictures are in it. For light and dark schemes, wide screens and narrow ones.
#ifndef HALFSTEP_REPORT_RUN_REPORT_H_
#define HALFSTEP_REPORT_RUN_REPORT_H_

#include <string>
#include <string_view>
#include <vector>

#include "halfstep/report/evaluation_file.h"
#include "halfstep/train/run_directory.h"

namespace halfstep::report {

// The page of a train or distill run, finished or not: samples, distances (where there are
// evaluations), losses and speed, time and work, settings, environment. Throws FormatError or
// IoError where a file of the run cannot be read.
std::string run_report(const RunDirectory& directory,
                       const std::vector<EvaluationFile>& evaluations);

// The page of evaluations alone.
std::string evaluation_report(std::string_view title,
                              const std::vector<EvaluationFile>& evaluations);

}  // namespace halfstep::report

#endif  // HALFSTEP_REPORT_RUN_REPORT_H_
