#include "cli/budget.h"

#include <array>
#include <cstdio>

#include "cli/help.h"
#include "cli/values.h"
#include "cli/work_ahead.h"
#include "halfstep/checkpoint/checkpoint_every.h"
#include "halfstep/core/error.h"
#include "halfstep/io/quote.h"

namespace halfstep::cli {
namespace {

double seconds_of(const std::string& text) {
  const std::optional<CheckpointEvery> time = CheckpointEvery::of(text);
  const double unit = !time               ? 0.0
                      : time->unit == 's' ? 1.0
                      : time->unit == 'm' ? 60.0
                      : time->unit == 'h' ? 3600.0
                                          : 0.0;
  if (unit == 0.0) {
    throw ConfigError("--budget",
                      "expected a time, such as 90s, 30m or 2h, received " + io::quote(text));
  }
  return static_cast<double>(time->count) * unit;
}

}  // namespace

void BudgetFlag::add_to(CLI::App& command) {
  add_value(command, "--budget", text_,
            "Multiply all numbers of updates so that the run takes about this time, such as 30m, "
            "estimated from single updates on this machine")
      ->type_name("TIME");
}

double BudgetFlag::factor(parallel::ProcessGroup& group, const RunOptions& options,
                          const Network& network, const c10::Device& device) const {
  const double seconds = seconds_of(*text_);
  if (!is_image(options.model.network))
    throw ConfigError("--budget", "expected a model of images, received one of other data");
  const double needed = group.is_rank_zero() ? estimated_seconds(options, network, device) /
                                                   static_cast<double>(group.size())
                                             : 0.0;
  // Every process must make the same updates.
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.9g", seconds / needed);
  const double factor = std::stod(parallel::broadcast(group, text.data()));
  if (group.is_rank_zero()) {
    std::fprintf(stderr, "budget: all updates would take about %s; multiplying them by %.2g\n",
                 duration_text(needed).c_str(), factor);
  }
  return factor;
}

}  // namespace halfstep::cli
