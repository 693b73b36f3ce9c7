#include "cli/measure.h"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/version.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <iterator>
#include <memory>
#include <numeric>
#include <vector>

#include "cli/machine.h"
#include "halfstep/core/random.h"
#include "halfstep/core/version.h"
#include "halfstep/device/device_graph.h"
#include "halfstep/model/generate.h"
#include "halfstep/nn/network_cost.h"
#include "halfstep/objective/objective_options.h"
#include "halfstep/train/config.h"
#include "halfstep/train/moment_matching.h"
#include "halfstep/train/regression.h"

namespace halfstep::cli {
namespace {

constexpr int64_t kDistillSteps = 4;  // N of the student that is distilled
constexpr std::array<int64_t, 3> kSampleSteps = {1, 4, 8};
constexpr std::array<int64_t, 2> kSampleBatches = {1, 64};

data::ExampleBatch noise_images(const NetworkOptions& network, int64_t count) {
  data::ExampleBatch images{.batch_size = count, .count = count};
  const std::vector<int64_t> shape = input_shape(network);
  const int64_t elements =
      std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
  std::vector<float> values(static_cast<size_t>(count * elements));
  fill_uniform({.purpose = Purpose::sample_noise}, values);
  std::transform(values.begin(), values.end(), std::back_inserter(images.bytes),
                 [](float value) { return static_cast<uint8_t>(256.0F * value); });
  for (int64_t i = 0; i < count; ++i) {
    images.labels.push_back(static_cast<int32_t>(i % std::max<int64_t>(num_classes(network), 1)));
  }
  return images;
}

// Returns `work`, or nullopt if the cost of the network is unknown.
std::optional<double> known(double work) { return work > 0.0 ? std::optional(work) : std::nullopt; }

ObjectiveOptions objective_of(Operation operation) {
  if (operation == Operation::train) return FromData{};
  return FromTeacher{.num_steps = kDistillSteps};
}

// Returns the work of one measured update, in forward passes per image.
double forwards_of(Operation operation) {
  if (operation == Operation::match) return Stage{.kind = StageKind::match}.forwards();
  return Stage{.objective = objective_of(operation)}.forwards();
}

// Updates a student from data or from its teacher, once per call. A student can have only one of
// these at a time, because the optimizer holds its parameters.
class Updates {
 public:
  Updates(Operation operation, const Subject& subject, Network& student)
      : options_(operation == Operation::train ? subject.train : subject.distill),
        images_(noise_images(subject.model.spec().network, options_.batch)) {
    const ModelSpec& spec = subject.model.spec();
    Denoiser teacher = make_denoiser(subject.model.network(), spec.output);
    if (operation == Operation::match) {
      auxiliary_ = subject.model.network().clone();
      MomentMatchingOptions matching =
          moment_matching_options(spec, options_, options_.lr, kDistillSteps);
      matching.auxiliary_updates = 0;  // every update moves the student, too
      method_ =
          std::make_unique<MomentMatching>(std::move(teacher), student, *auxiliary_, matching);
      return;
    }
    const ObjectiveOptions objective = objective_of(operation);
    method_ = std::make_unique<Regression>(
        student, make_objective(objective, student_output(spec, options_), std::move(teacher)),
        regression_options(spec, options_, objective, student));
  }

  void operator()() {
    method_->update(images_, options_.lr);
    ++images_.update;
  }

 private:
  const UpdateOptions options_;
  std::unique_ptr<Network> auxiliary_;  // of moment matching
  std::unique_ptr<Method> method_;
  UpdateExamples images_;
};

// Draws samples from seeds to uint8 images, as `halfstep sample` does.
void draw(const Model& model, int64_t steps, int64_t batch) {
  std::vector<uint64_t> seeds(static_cast<size_t>(batch));
  std::iota(seeds.begin(), seeds.end(), 0);
  GenerateOptions options{.num_steps = steps, .batch = batch, .force_steps = true};
  if (model.spec().condition.is_on()) {
    std::vector<int64_t> shape = input_shape(model.spec().network);
    shape.insert(shape.begin(), batch);
    const Tensor black = at::zeros(shape, at::TensorOptions().dtype(at::kByte));
    options.known = known_for(model.spec(), black, seeds);
  }
  generate(model, seeds, options);
}

// Takes the measurements. The shares of the peak are left for later, when the peak is known.
class Bench {
 public:
  // `student` is a clone of the subject's network, to be updated.
  Bench(const Subject& subject, Network& student, const at::Device& device, int64_t runs)
      : subject_(subject), student_(student), device_(device), runs_(runs) {}

  // Must come first, so that only the networks are in memory. Returns nullopt if the system does
  // not report memory.
  std::optional<MemoryUse> memory(Operation operation) const {
    progress(operation, "memory");
    const std::optional<Memory> loaded = memory_in_use();
    if (!loaded || !device_.is_cpu() || !restart_memory_peak()) return std::nullopt;
    Updates update(operation, subject_, student_);
    for (int i = 0; i < 2; ++i) update();
    const double peak = memory_in_use().value_or(*loaded).peak;
    return MemoryUse{.operation = operation,
                     .networks = loaded->resident,
                     .peak = peak,
                     .update_adds = peak - loaded->resident};
  }

  BenchResult update(Operation operation) const {
    progress(operation, "batch " + std::to_string(subject_.distill.batch));
    Updates update(operation, subject_, student_);
    return timed({.operation = operation, .batch = subject_.distill.batch}, forwards_of(operation),
                 [&] { update(); });
  }

  BenchResult sample(int64_t steps, int64_t batch) const {
    progress(Operation::sample, std::to_string(steps) + " steps, batch " + std::to_string(batch));
    return timed({.operation = Operation::sample, .steps = steps, .batch = batch},
                 static_cast<double>(steps), [&] { draw(subject_.model, steps, batch); });
  }

 private:
  static void progress(Operation operation, const std::string& what) {
    std::fprintf(stderr, "%s, %s\n", std::string(name_of(operation)).c_str(), what.c_str());
  }

  // Returns `result` with the times and rates of `work`, which costs `forwards` forward passes per
  // image.
  BenchResult timed(BenchResult result, double forwards, const std::function<void()>& work) const {
    // The first call is slower. On a GPU, so are those before and with the capture of a graph.
    const int64_t warm_ups = device_.is_cpu() ? 1 : DeviceGraph::kWarmUps + 1;
    for (int64_t i = 0; i < warm_ups; ++i) work();
    const Timing timing = time_runs(runs_, device_, work);
    const auto images = static_cast<double>(result.batch);
    const double flops = forwards * images * network_cost(subject_.model.spec().network).flops;
    result.median_ms = timing.median_ms;
    result.min_ms = timing.min_ms;
    result.images_per_second = images / timing.median_ms * 1e3;
    result.gflops = known(flops / timing.median_ms / 1e6);
    return result;
  }

  const Subject& subject_;
  Network& student_;
  const at::Device device_;
  const int64_t runs_;
};

// Returns a report of what is measured and on what, without any measurements.
BenchReport empty_report(const Subject& subject, Precision precision, const at::Device& device,
                         int64_t runs) {
  return {.subject = subject.name,
          .version = std::string(version()),
          .libtorch = TORCH_VERSION,
          .device = device.str(),
          .threads = at::get_num_threads(),
          .cpu_capability = at::get_cpu_capability(),
          .precision = precision,
          .parameters = count_parameters(subject.model.network()),
          .forward_gflop = known(network_cost(subject.model.spec().network).flops / 1e9),
          .runs = runs};
}

}  // namespace

BenchReport measure(const Subject& subject, const std::set<Operation>& wanted, int64_t runs) {
  const Precision precision = subject.model.precision();
  const at::Device device = subject.model.device();
  const std::unique_ptr<Network> student = subject.model.network().clone();
  const Bench bench(subject, *student, device, runs);
  std::set<Operation> updates = wanted;
  updates.erase(Operation::sample);

  BenchReport report = empty_report(subject, precision, device, runs);
  if (updates.contains(Operation::distill)) {
    report.memory = bench.memory(Operation::distill);
  } else if (!updates.empty()) {
    report.memory = bench.memory(*updates.begin());
  }
  // The peak is measured before and after the rest, because the speed of a shared machine varies.
  const double peak_before = convolution_peak(precision, device);
  for (const Operation operation : updates) report.results.push_back(bench.update(operation));
  if (wanted.contains(Operation::sample)) {
    for (const int64_t batch : kSampleBatches) {
      for (const int64_t steps : kSampleSteps) report.results.push_back(bench.sample(steps, batch));
    }
  }
  report.convolution_peak_gflops = std::max(peak_before, convolution_peak(precision, device));
  for (BenchResult& result : report.results) {
    if (result.gflops) result.share_of_peak = *result.gflops / report.convolution_peak_gflops;
  }
  return report;
}

}  // namespace halfstep::cli
