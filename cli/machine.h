// What `halfstep bench` measures of the machine and the process: time, memory and the peak rate of
// convolutions.
#ifndef HALFSTEP_CLI_MACHINE_H_
#define HALFSTEP_CLI_MACHINE_H_

#include <c10/core/Device.h>

#include <cstdint>
#include <functional>
#include <optional>

#include "halfstep/core/precision.h"

namespace halfstep::cli {

struct Timing {
  double median_ms = 0.0;
  double min_ms = 0.0;
};

// Calls `work` `runs` times (at least once) and times each call until the device has finished it.
Timing time_runs(int64_t runs, const c10::Device& device, const std::function<void()>& work);

// The resident memory of this process, MiB.
struct Memory {
  double resident = 0.0;
  double peak = 0.0;  // since the start or the last restart_memory_peak()
};

// Returns the memory in use, or nullopt on a system other than Linux.
std::optional<Memory> memory_in_use();

// Sets the peak to what is resident now. Returns false if the system does not support that.
bool restart_memory_peak();

// Returns the best rate of a few 3 x 3 convolutions of channels-last images, forward only, GFLOP/s.
double convolution_peak(Precision precision, const c10::Device& device);

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_MACHINE_H_
