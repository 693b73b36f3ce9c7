#include "cli/machine.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <torch/cuda.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "halfstep/core/tensor.h"

namespace halfstep::cli {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_of(const c10::Device& device, const std::function<void()>& work) {
  const auto begin = Clock::now();
  work();
  if (device.is_cuda()) torch::cuda::synchronize(device.index());
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

}  // namespace

Timing time_runs(int64_t runs, const c10::Device& device, const std::function<void()>& work) {
  std::vector<double> times;
  for (int64_t r = 0; r < runs; ++r) times.push_back(milliseconds_of(device, work));
  std::sort(times.begin(), times.end());
  const size_t half = times.size() / 2;
  return {.median_ms = times.size() % 2 == 1 ? times[half] : (times[half - 1] + times[half]) / 2.0,
          .min_ms = times.front()};
}

std::optional<Memory> memory_in_use() {
  std::ifstream status("/proc/self/status");
  Memory memory;
  std::string line;
  while (std::getline(status, line)) {  // "VmHWM:     12345 kB"
    const auto mib = [&] { return std::stod(line.substr(line.find(':') + 1)) / 1024.0; };
    if (line.starts_with("VmHWM:")) memory.peak = mib();
    if (line.starts_with("VmRSS:")) memory.resident = mib();
  }
  if (memory.resident == 0.0 || memory.peak == 0.0) return std::nullopt;
  return memory;
}

bool restart_memory_peak() {
  std::ofstream file("/proc/self/clear_refs");
  file << "5" << std::flush;  // proc(5): resets the peak resident set size
  return file.good();
}

double convolution_peak(Precision precision, const c10::Device& device) {
  constexpr int64_t kRepetitions = 20;
  constexpr std::pair<int64_t, int64_t> kChannelsAndSize[] = {{64, 32}, {128, 16}, {256, 16}};
  const int64_t batch = device.is_cuda() ? 512 : 16;  // enough to keep it busy
  const c10::InferenceMode no_graph;
  const auto options = at::TensorOptions()
                           .dtype(scalar_type_of(precision))
                           .device(device)
                           .memory_format(at::MemoryFormat::ChannelsLast);
  double best = 0.0;
  for (const auto& [channels, size] : kChannelsAndSize) {
    const Tensor x = at::ones({batch, channels, size, size}, options);
    const Tensor weight = at::ones({channels, channels, 3, 3}, options);
    const auto convolve = [&] { at::conv2d(x, weight, {}, /*stride=*/1, /*padding=*/1); };
    time_runs(2, device, convolve);
    const double ms = time_runs(kRepetitions, device, convolve).min_ms;
    const double flops = 2.0 * 9.0 * static_cast<double>(channels * channels * size * size * batch);
    best = std::max(best, flops / (ms * 1e6));
  }
  return best;
}

}  // namespace halfstep::cli
