#ifndef HALFSTEP_CLI_WORK_AHEAD_H_
#define HALFSTEP_CLI_WORK_AHEAD_H_

#include <c10/core/Device.h>

#include <cstdint>
#include <string>

#include "halfstep/data/dataset.h"
#include "halfstep/nn/network.h"
#include "halfstep/train/options.h"

namespace halfstep::cli {

// Returns an estimate of the time of the whole run in seconds, in this process alone: that of an
// update of a copy of `network`, taken as proportional to its batch and to its forward passes, and
// that of the evaluations' forward passes. For models of images.
double estimated_seconds(const RunOptions& options, const Network& network,
                         const c10::Device& device);

// Returns a time as "5.8 hours".
std::string duration_text(double seconds);

// Returns the text of --dry-run: the resolved options, and the data, parameters, memory, disk and
// work of the run. Times a few updates of a copy of `network` for an estimate of the hours that
// `processes` processes like this one take.
std::string describe_work(const RunOptions& options, const Network& network,
                          const data::DatasetInfo& data, const c10::Device& device,
                          int64_t processes);

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_WORK_AHEAD_H_
