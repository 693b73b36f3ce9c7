#include "cli/budget.h"

#include <cstdio>

#include "cli/help.h"
#include "cli/values.h"
#include "halfstep/train/forecast.h"

namespace halfstep::cli {

void BudgetFlag::add_to(CLI::App& command) {
  add_value(command, "--budget", text_,
            "Multiply all numbers of updates so that the run takes about this time, such as 30m, "
            "estimated from single updates on this machine")
      ->type_name("TIME");
}

double BudgetFlag::factor(parallel::ProcessGroup& group, const RunOptions& options,
                          const Network& network, const data::Dataset& dataset,
                          const c10::Device& device) const {
  const BudgetFit fit =
      fit_to_budget(group, seconds_of(*text_, "--budget"), options, network, dataset, device);
  if (group.is_rank_zero()) std::fprintf(stderr, "%s\n", describe(fit).c_str());
  return fit.factor;
}

}  // namespace halfstep::cli
