#include "cli/measure.h"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <c10/core/InferenceMode.h>
#include <torch/cuda.h>
#include <torch/version.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "halfstep/core/random.h"
#include "halfstep/core/version.h"
#include "halfstep/diffusion/target.h"
#include "halfstep/model/generate.h"
#include "halfstep/nn/network_cost.h"
#include "halfstep/train/options.h"
#include "halfstep/train/update.h"

namespace halfstep::cli {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::json;

constexpr int64_t kDistillSteps = 4;  // N of the student that is distilled
constexpr std::array<int64_t, 3> kSampleSteps = {1, 4, 8};
constexpr std::array<int64_t, 2> kSampleBatches = {1, 64};

struct Timing {
  double median_ms = 0.0;
  double min_ms = 0.0;
};

double milliseconds_of(const c10::Device& device, const std::function<void()>& work) {
  const auto begin = Clock::now();
  work();
  if (device.is_cuda()) torch::cuda::synchronize(device.index());
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

// Calls `work` that many times (at least once), each until the device is done with it.
Timing time_runs(int64_t runs, const c10::Device& device, const std::function<void()>& work) {
  std::vector<double> times;
  for (int64_t r = 0; r < runs; ++r) times.push_back(milliseconds_of(device, work));
  std::sort(times.begin(), times.end());
  const size_t half = times.size() / 2;
  return {.median_ms = times.size() % 2 == 1 ? times[half] : (times[half - 1] + times[half]) / 2.0,
          .min_ms = times.front()};
}

// What this process holds of the machine's memory, MiB.
struct Memory {
  double resident = 0.0;
  double peak = 0.0;  // the most resident, ever or since restart_memory_peak
};

// None where the system does not say: it is not Linux.
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

// Lets the peak begin at what is resident now; false where the system does not.
bool restart_memory_peak() {
  std::ofstream file("/proc/self/clear_refs");
  file << "5" << std::flush;  // proc(5): resets the peak resident set size
  return file.good();
}

// The machine's own peak: the best rate over a few 3 x 3 convolutions of channels-last images,
// forward and without a graph, GFLOP/s.
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

data::ImageBatch noise_images(const NetworkOptions& network, int64_t count) {
  data::ImageBatch images{.batch_size = count, .count = count};
  const std::vector<int64_t> shape = input_shape(network);
  const int64_t elements =
      std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
  std::vector<float> values(static_cast<size_t>(count * elements));
  fill_uniform({.purpose = Purpose::sample_noise}, values);
  std::transform(values.begin(), values.end(), std::back_inserter(images.pixels),
                 [](float value) { return static_cast<uint8_t>(256.0F * value); });
  for (int64_t i = 0; i < count; ++i) {
    images.labels.push_back(static_cast<int32_t>(i % std::max<int64_t>(num_classes(network), 1)));
  }
  return images;
}

// Null for the work of a network of which it is not known.
json known(double work) { return work > 0.0 ? json(work) : json(nullptr); }

int64_t num_steps_of(Operation operation) {
  return operation == Operation::train ? 0 : kDistillSteps;
}

// Updates of a student from the data or from its teacher, one a call. A student has one such at a
// time, whose optimizer has hold of its parameters.
class Updates {
 public:
  Updates(Operation operation, const Subject& subject, const Network& student)
      : options_(operation == Operation::train ? subject.train : subject.distill),
        student_(student),
        plan_(plan_update(subject.model.spec(), options_, num_steps_of(operation))),
        optimizer_(student, optimizer_options(options_)),
        images_(noise_images(subject.model.spec().network, options_.batch)) {
    if (operation == Operation::train) {
      target_ = std::make_unique<DataTarget>();
    } else {
      target_ =
          std::make_unique<TeacherTarget>(make_denoiser(subject.model.network(), plan_.output));
    }
  }

  void operator()() {
    update(student_, *target_, optimizer_, images_, plan_, options_.lr);
    ++images_.update;
  }

 private:
  const UpdateOptions options_;
  const Network& student_;
  const UpdatePlan plan_;
  Optimizer optimizer_;
  std::unique_ptr<Target> target_;
  data::ImageBatch images_;
};

// What whoever samples waits for: from seeds to uint8 images.
void draw(const Model& model, int64_t steps, int64_t batch) {
  std::vector<uint64_t> seeds(static_cast<size_t>(batch));
  std::iota(seeds.begin(), seeds.end(), 0);
  generate(model, seeds, {.num_steps = steps, .batch = batch, .force_steps = true});
}

// Takes the measurements; each is a result of the report but for its share of the peak.
class Bench {
 public:
  // `student`: a network of the subject's to update.
  Bench(const Subject& subject, const Network& student, const at::Device& device, int64_t runs)
      : subject_(subject), student_(student), device_(device), runs_(runs) {}

  // Comes first, so that nothing but the networks has left its mark on what the process holds. Null
  // where it is not known.
  json memory(Operation operation) const {
    progress(operation, "memory");
    const std::optional<Memory> loaded = memory_in_use();
    if (!loaded || !device_.is_cpu() || !restart_memory_peak()) return nullptr;
    Updates update(operation, subject_, student_);
    for (int i = 0; i < 2; ++i) update();
    const double peak = memory_in_use().value_or(*loaded).peak;
    return {{"operation", std::string(name_of(operation))},
            {"networks", loaded->resident},
            {"peak", peak},
            {"update_adds", peak - loaded->resident}};
  }

  json update(Operation operation) const {
    progress(operation, "batch " + std::to_string(subject_.distill.batch));
    Updates update(operation, subject_, student_);
    const double forwards = Stage{.num_steps = num_steps_of(operation)}.forwards();
    return timed(operation, nullptr, subject_.distill.batch, forwards, [&] { update(); });
  }

  json sample(int64_t steps, int64_t batch) const {
    progress(Operation::sample, std::to_string(steps) + " steps, batch " + std::to_string(batch));
    return timed(Operation::sample, steps, batch, static_cast<double>(steps),
                 [&] { draw(subject_.model, steps, batch); });
  }

 private:
  static void progress(Operation operation, const std::string& what) {
    std::fprintf(stderr, "%s, %s\n", std::string(name_of(operation)).c_str(), what.c_str());
  }

  json timed(Operation operation, const json& steps, int64_t batch, double forwards,
             const std::function<void()>& work) const {
    work();  // the first of its kind is slower
    const Timing timing = time_runs(runs_, device_, work);
    const auto images = static_cast<double>(batch);
    const double flops = forwards * images * network_cost(subject_.model.spec().network).flops;
    return {{"operation", std::string(name_of(operation))},
            {"steps", steps},
            {"batch", batch},
            {"median_ms", timing.median_ms},
            {"min_ms", timing.min_ms},
            {"images_per_second", images / timing.median_ms * 1e3},
            {"gflops", known(flops / timing.median_ms / 1e6)}};
  }

  const Subject& subject_;
  const Network& student_;
  const at::Device device_;
  const int64_t runs_;
};

// What the measurements were taken of and on.
json circumstances(const Subject& subject, Precision precision, const at::Device& device) {
  return {{"subject", subject.name},
          {"version", std::string(version())},
          {"libtorch", TORCH_VERSION},
          {"device", device.str()},
          {"threads", at::get_num_threads()},
          {"cpu_capability", at::get_cpu_capability()},
          {"precision", std::string(name_of(precision))},
          {"parameters", count_parameters(subject.model.network())},
          {"forward_gflop", known(network_cost(subject.model.spec().network).flops / 1e9)}};
}

}  // namespace

nlohmann::json measure(const Subject& subject, const std::set<Operation>& wanted, int64_t runs) {
  const Precision precision = subject.model.precision();
  const at::Device device = subject.model.device();
  const std::unique_ptr<Network> student = subject.model.network().clone();
  const Bench bench(subject, *student, device, runs);
  std::set<Operation> updates = wanted;
  updates.erase(Operation::sample);

  json report = circumstances(subject, precision, device);
  report["runs"] = runs;
  // that of distillation, which needs more, where both are wanted
  report["memory_mib"] = updates.empty() ? json(nullptr) : bench.memory(*updates.rbegin());
  // before and after the rest: a machine shared with others is not always as fast
  const double peak_before = convolution_peak(precision, device);
  json results = json::array();
  for (const Operation operation : updates) results.push_back(bench.update(operation));
  if (wanted.contains(Operation::sample)) {
    for (const int64_t batch : kSampleBatches) {
      for (const int64_t steps : kSampleSteps) results.push_back(bench.sample(steps, batch));
    }
  }
  const double peak = std::max(peak_before, convolution_peak(precision, device));
  for (json& result : results) {
    const json& gflops = result["gflops"];
    result["share_of_peak"] = gflops.is_null() ? gflops : json(gflops.get<double>() / peak);
  }
  report["convolution_peak_gflops"] = peak;
  report["results"] = std::move(results);
  return report;
}

}  // namespace halfstep::cli
