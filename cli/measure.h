// The measurements of `halfstep bench`: time, memory, and the share of the machine's peak.
#ifndef HALFSTEP_CLI_MEASURE_H_
#define HALFSTEP_CLI_MEASURE_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "halfstep/core/enum_names.h"
#include "halfstep/core/precision.h"
#include "halfstep/model/model.h"
#include "halfstep/train/options.h"

namespace halfstep::cli {
enum class Operation { train, distill, match, sample };
}  // namespace halfstep::cli

template <>
struct halfstep::EnumNames<halfstep::cli::Operation> {
  using Operation = halfstep::cli::Operation;
  static constexpr auto kNames =
      std::to_array<std::pair<Operation, std::string_view>>({{Operation::train, "train"},
                                                             {Operation::distill, "distill"},
                                                             {Operation::match, "match"},
                                                             {Operation::sample, "sample"}});
};

namespace halfstep::cli {

// A model to measure, and how it is updated.
struct Subject {
  std::string name;
  Model model;
  UpdateOptions train;
  UpdateOptions distill;
};

// The resident memory of the process in MiB, from before to after two updates.
struct MemoryUse {
  Operation operation = Operation::distill;  // of the updates
  double networks = 0.0;                     // with teacher and student loaded
  double peak = 0.0;
  double update_adds = 0.0;  // peak - networks
};

struct BenchResult {
  Operation operation = Operation::train;
  std::optional<int64_t> steps = std::nullopt;  // of sampling only
  int64_t batch = 0;
  double median_ms = 0.0;
  double min_ms = 0.0;
  double images_per_second = 0.0;                      // by the median, as is gflops
  std::optional<double> gflops = std::nullopt;         // GFLOP/s; unknown for TorchScript
  std::optional<double> share_of_peak = std::nullopt;  // gflops / convolution_peak_gflops
};

// The results of a bench and what they were measured on.
struct BenchReport {
  std::string subject;
  std::string version;
  std::string libtorch;
  std::string device;
  int64_t threads = 0;
  std::string cpu_capability;  // of LibTorch's kernels
  Precision precision = Precision::fp32;
  int64_t parameters = 0;
  std::optional<double> forward_gflop = std::nullopt;  // per image; unknown for TorchScript
  double convolution_peak_gflops = 0.0;                // GFLOP/s
  int64_t runs = 0;                                    // timed repetitions per result
  std::optional<MemoryUse> memory = std::nullopt;      // CPU on Linux only
  std::vector<BenchResult> results = {};
};

// Measures updates of training, distillation and moment matching, and sampling, on images of noise.
// Reports its progress on stderr.
BenchReport measure(const Subject& subject, const std::set<Operation>& wanted, int64_t runs);

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_MEASURE_H_
