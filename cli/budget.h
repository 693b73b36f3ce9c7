// --budget: fits the number of updates to the time that a run may take.
#ifndef HALFSTEP_CLI_BUDGET_H_
#define HALFSTEP_CLI_BUDGET_H_

#include <c10/core/Device.h>

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "halfstep/data/dataset.h"
#include "halfstep/nn/network.h"
#include "halfstep/parallel/process_group.h"
#include "halfstep/train/options.h"

namespace halfstep::cli {

class BudgetFlag {
 public:
  void add_to(CLI::App& command);

  explicit operator bool() const { return text_.has_value(); }

  // Returns by which factor the updates of the run must be multiplied for it to take that time
  // (fit_to_budget). Says on stderr what it measured. Throws ConfigError if the flag is no time.
  double factor(parallel::ProcessGroup& group, const RunOptions& options, const Network& network,
                const data::Dataset& dataset, const c10::Device& device) const;

 private:
  std::optional<std::string> text_;
};

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_BUDGET_H_
