#ifndef HALFSTEP_CLI_WORK_AHEAD_H_
#define HALFSTEP_CLI_WORK_AHEAD_H_

#include <c10/core/Device.h>

#include <cstdint>
#include <string>

#include "halfstep/data/dataset.h"
#include "halfstep/train/options.h"

namespace halfstep::cli {

// Returns the text of --dry-run: the resolved options, and the data, parameters, memory and work of
// the run.
std::string describe_work(const RunOptions& options, int64_t parameters,
                          const data::DatasetInfo& data, const c10::Device& device);

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_WORK_AHEAD_H_
