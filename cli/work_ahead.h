#ifndef HALFSTEP_CLI_WORK_AHEAD_H_
#define HALFSTEP_CLI_WORK_AHEAD_H_

#include <string>

#include "halfstep/data/dataset.h"
#include "halfstep/train/forecast.h"
#include "halfstep/train/options.h"

namespace halfstep::cli {

// Returns the text of --dry-run: the resolved options and the data, and what the run will need.
std::string describe_work(const RunOptions& options, const data::DatasetInfo& data,
                          const Forecast& forecast);

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_WORK_AHEAD_H_
