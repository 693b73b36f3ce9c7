// What a run will need, before it starts: work, memory, disk and time.
#ifndef HALFSTEP_TRAIN_FORECAST_H_
#define HALFSTEP_TRAIN_FORECAST_H_

#include <c10/core/Device.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/data/dataset.h"
#include "halfstep/nn/network.h"
#include "halfstep/parallel/process_group.h"
#include "halfstep/train/options.h"

namespace halfstep {

struct Forecast {
  std::vector<Stage> stages;
  int64_t parameters = 0;  // of the network
  int64_t updates = 0;     // of all stages, as are the next two
  int64_t images = 0;
  std::optional<double> flops;  // none for a network that is code, whose cost is unknown
  // Bytes in addition to the program and its libraries. Where flops is none, without what the
  // network keeps for the backward pass.
  double memory = 0.0;
  double disk = 0.0;     // bytes
  double seconds = 0.0;  // estimated from the time of single updates, in `processes` like this one
};

// Times a few updates of copies of the network on the data set. `options` are those of plan_run().
Forecast forecast(const RunOptions& options, const Network& network, const data::Dataset& dataset,
                  const c10::Device& device, int64_t processes = 1);

// Returns the seconds of a time such as "90s", "30m" or "2h". Throws ConfigError, which names
// `where`, for another text.
double seconds_of(const std::string& time, std::string_view where);

// Returns a time as "5.8 hours".
std::string duration_text(double seconds);

// How the numbers of updates of a run fit a budget of time.
struct BudgetFit {
  double seconds = 0.0;  // that the run needs as it is
  double factor = 1.0;   // by which scale_updates() must multiply them
};

// Times updates as forecast() does on rank 0. Every process of the group gets the same result.
BudgetFit fit_to_budget(parallel::ProcessGroup& group, double seconds, const RunOptions& options,
                        const Network& network, const data::Dataset& dataset,
                        const c10::Device& device);

// Returns a line for people: "budget: all updates would take about 5.7 minutes; multiplying them by
// 0.18".
std::string describe(const BudgetFit& fit);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_FORECAST_H_
