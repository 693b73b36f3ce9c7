#include "python/bindings/execution.h"

#include <ATen/Parallel.h>
#include <pybind11/stl/filesystem.h>

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "halfstep/metrics/run_evaluator.h"
#include "halfstep/parallel/c10d_group.h"
#include "halfstep/report/stage_grid.h"
#include "halfstep/report/tensorboard.h"
#include "halfstep/train/checked.h"
#include "halfstep/train/observers.h"
#include "halfstep/train/sharing.h"
#include "halfstep/train/stage_quality.h"
#include "python/bindings/interrupts.h"
#include "python/bindings/module_network.h"

namespace halfstep::python {
namespace {

namespace fs = std::filesystem;

// Passes what a run reports on to Python. An exception that Python raises ends the run.
class PythonObserver final : public TrainObserver {
 public:
  explicit PythonObserver(const py::object& observer) : observer_(observer) {}

  void on_begin(const fs::path& folder, int64_t total_updates) override {
    const py::gil_scoped_acquire acquire;
    observer_.attr("on_begin")(folder, total_updates);
  }
  void on_message(std::string_view message) override {
    const py::gil_scoped_acquire acquire;
    observer_.attr("on_message")(message);
  }
  void on_update(const UpdateRecord& record) override {
    const py::gil_scoped_acquire acquire;
    const std::optional<Quality>& quality = record.quality;
    observer_.attr("on_update")(
        py::arg("stage") = record.stage, py::arg("num_stages") = record.num_stages,
        py::arg("stage_name") = record.stage_name, py::arg("num_steps") = record.num_steps,
        py::arg("update") = record.update, py::arg("updates") = record.updates,
        py::arg("loss") = record.loss, py::arg("grad_norm") = record.grad_norm,
        py::arg("lr") = record.lr, py::arg("skipped") = record.skipped,
        py::arg("images_per_second") = record.images_per_second,
        py::arg("seconds_left") = record.seconds_left,
        py::arg("distance") = quality ? quality->distance : std::nullopt);
  }
  void on_snapshot(const fs::path& folder, const Model& model, int64_t total_updates) override {
    const py::gil_scoped_acquire acquire;
    observer_.attr("on_snapshot")(folder, model, total_updates);
  }
  void on_stage_end(const fs::path& folder, const Model& model) override {
    const py::gil_scoped_acquire acquire;
    observer_.attr("on_stage_end")(folder, model);
  }

 private:
  const py::object& observer_;
};

std::unique_ptr<Evaluator> evaluator_of(const std::optional<fs::path>& features) {
  return features ? std::make_unique<metrics::RunEvaluator>(*features) : nullptr;
}

}  // namespace

ThreadsGuard::ThreadsGuard(const std::optional<int64_t>& threads)
    : threads_(at::get_num_threads()) {
  if (!threads) return;
  require_between(1, kMostThreads, "threads", *threads);
  at::set_num_threads(static_cast<int>(*threads));
}

ThreadsGuard::~ThreadsGuard() { at::set_num_threads(threads_); }

Processes join_processes(at::Device device) {
  const parallel::LaunchEnvironment launch = parallel::launch_environment();
  if (device.is_cuda() && !device.has_index() && launch.size > 1)
    device.set_index(static_cast<c10::DeviceIndex>(launch.local_rank));
  return {.device = device, .group = parallel::join(launch, device)};
}

RunResult execute(const RunArguments& arguments, const Processes& processes,
                  const std::optional<fs::path>& features,
                  const std::function<RunResult(const RunSettings&)>& run) {
  const std::unique_ptr<Evaluator> evaluator = evaluator_of(features);
  PythonObserver python(arguments.observer);
  report::StageGrid grid(arguments.grid_images);
  report::TensorBoardEvents events;
  Observers observers({&python, &grid, &events});
  std::optional<Interrupts> interrupts;
  if (arguments.handles_signals) interrupts.emplace();
  return run({.outdir = arguments.outdir,
              .device = processes.device,
              .threads = arguments.threads,
              .observer = &observers,
              .evaluator = evaluator.get(),
              .stop = interrupts ? interrupts->token() : StopToken(),
              .factory = factory_of(arguments.make),
              .group = processes.group.get(),
              .command = arguments.command,
              .restarted = parallel::launch_environment().restarts > 0});
}

Plan plan(const RunArguments& arguments, const Processes& processes, RunOptions options,
          const Network& network, const data::Dataset& dataset) {
  const std::unique_ptr<Evaluator> evaluator = evaluator_of(arguments.features);
  record_features(options, evaluator.get());
  parallel::ProcessGroup& group = *processes.group;
  require_same_options(group, options);
  Plan plan{.options = to_json(options).dump(),
            .forecast = forecast(options, network, dataset, processes.device, group.size())};
  group.leave();
  return plan;
}

double budget_factor(const RunArguments& arguments, const Processes& processes,
                     const RunOptions& options, const Network& network,
                     const data::Dataset& dataset) {
  if (!arguments.budget) return 1.0;
  parallel::ProcessGroup& group = *processes.group;
  const BudgetFit fit = fit_to_budget(group, seconds_of(*arguments.budget, "budget"), options,
                                      network, dataset, processes.device);
  if (group.is_rank_zero()) PythonObserver(arguments.observer).on_message(describe(fit));
  return fit.factor;
}

}  // namespace halfstep::python
