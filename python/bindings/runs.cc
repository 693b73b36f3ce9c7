// Training, distillation and resuming.
#include <ATen/Parallel.h>
#include <pybind11/stl/filesystem.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "halfstep/convert/convert.h"
#include "halfstep/core/error.h"
#include "halfstep/io/json.h"
#include "halfstep/metrics/run_evaluator.h"
#include "halfstep/model/model_file.h"
#include "halfstep/parallel/c10d_group.h"
#include "halfstep/report/stage_grid.h"
#include "halfstep/report/tensorboard.h"
#include "halfstep/train/distill.h"
#include "halfstep/train/newest_model.h"
#include "halfstep/train/observers.h"
#include "halfstep/train/recipe.h"
#include "halfstep/train/sharing.h"
#include "python/bindings/bindings.h"
#include "python/bindings/dataset.h"
#include "python/bindings/interrupts.h"
#include "python/bindings/module_network.h"
#include "python/bindings/options.h"

namespace halfstep::python {
namespace {

namespace fs = std::filesystem;

// What all runs are told besides their options. The Python files document it.
struct RunArguments {
  fs::path outdir;
  at::Device device = at::kCPU;
  std::optional<int64_t> threads;
  std::optional<fs::path> features;
  int64_t grid_images = 0;
  std::string command;
  bool handles_signals = false;  // the caller is the main thread
  py::object observer;           // of the class Observer of halfstep/_events.py
  // Makes the module of an external network, for resume(); None where there is none.
  py::object make = py::none();
};

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

// Restores LibTorch's number of threads, which runs set.
class ThreadsGuard {
 public:
  ThreadsGuard() : threads_(at::get_num_threads()) {}
  ~ThreadsGuard() { at::set_num_threads(threads_); }
  ThreadsGuard(const ThreadsGuard&) = delete;
  ThreadsGuard& operator=(const ThreadsGuard&) = delete;

 private:
  const int threads_;
};

struct Processes {
  at::Device device;
  std::unique_ptr<parallel::ProcessGroup> group;
};

// Joins the processes that a launcher such as torchrun started together with this one.
Processes join_processes(at::Device device) {
  const parallel::LaunchEnvironment launch = parallel::launch_environment();
  if (device.is_cuda() && !device.has_index() && launch.size > 1)
    device.set_index(static_cast<c10::DeviceIndex>(launch.local_rank));
  return {.device = device, .group = parallel::join(launch, device)};
}

// Calls `run`, one of train(), distill() and resume().
RunResult execute(const RunArguments& arguments, const Processes& processes,
                  const std::optional<fs::path>& features,
                  const std::function<RunResult(const RunSettings&)>& run) {
  const ThreadsGuard threads;
  std::unique_ptr<Evaluator> evaluator;
  if (features) evaluator = std::make_unique<metrics::RunEvaluator>(*features);
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

// A data set in a file or in memory.
struct Data {
  std::variant<fs::path, std::shared_ptr<PythonDataset>> source;
  std::optional<int64_t> image_size;
  bool skip_broken = false;

  TrainingData open() const {
    if (const auto* path = std::get_if<fs::path>(&source))
      return open_training_data(*path, image_size, skip_broken);
    TrainingData data;
    data.dataset = std::get<std::shared_ptr<PythonDataset>>(source);
    return data;
  }
};

using Source = std::variant<fs::path, Model>;

SourceModel load_source(const Source& source) {
  if (const auto* model = std::get_if<Model>(&source)) return {*model};
  fs::path path = std::get<fs::path>(source);
  if (fs::exists(path / "options.json")) path = newest_model(RunDirectory(path)).file;
  if (!model_file_at(path) && format_of_model(path) == ModelFormat::diffusers)
    return {import_model(path).model};
  return SourceModel::load(path);
}

std::optional<SourceModel> load_init(const std::optional<Source>& init) {
  return init ? std::optional(load_source(*init)) : std::nullopt;
}

RunResult run_train(const std::string& config_name, std::optional<bool> conditional,
                    const std::string& options, const Data& data, const std::optional<Source>& init,
                    const RunArguments& arguments) {
  Config config = load_config(config_name);
  if (conditional) config.conditional = *conditional;
  set_options(io::parse_json(options, "train"), "train", config.train_update, config.train);
  const Processes processes = join_processes(arguments.device);
  const TrainingData opened = data.open();
  std::optional<SourceModel> source = load_init(init);
  return execute(arguments, processes, arguments.features, [&](const RunSettings& settings) {
    return train(config, opened, settings, std::move(source));
  });
}

RunResult run_distill(const Source& teacher, const std::string& config_name,
                      const std::string& options, const Data& data,
                      const std::optional<Source>& init, const RunArguments& arguments) {
  Config config = load_config(config_name);
  SourceModel source = load_source(teacher);
  const ModelSpec& spec = source.model().spec();
  if (spec.sampling.is_distilled()) config.distill.start_steps = spec.sampling.num_steps;
  set_options(io::parse_json(options, "distill"), "distill", config.distill_update, config.distill);
  const Processes processes = join_processes(arguments.device);
  const TrainingData opened = data.open();
  std::optional<SourceModel> start = load_init(init);
  config.distill = choose_method(config.distill, spec, start.has_value());
  return execute(arguments, processes, arguments.features, [&](const RunSettings& settings) {
    return distill(std::move(source), opened, config.distill, config.distill_update, settings,
                   std::move(start));
  });
}

RunResult run_resume(const fs::path& run, std::optional<int64_t> updates,
                     const std::optional<Data>& data, const RunArguments& arguments) {
  const Processes processes = join_processes(arguments.device);
  ResumeOptions options{.updates = updates};
  if (data) {
    if (const auto* path = std::get_if<fs::path>(&data->source)) {
      options.data = *path;
    } else {
      options.dataset = data->open().dataset;
    }
  }
  parallel::ProcessGroup& group = *processes.group;
  const RunOptions recorded =
      broadcast_options(group, group.is_rank_zero() ? RunDirectory(run).options() : RunOptions{});
  std::optional<fs::path> features = arguments.features;
  if (!features && !recorded.features.empty()) features = recorded.features;
  return execute(arguments, processes, features,
                 [&](const RunSettings& settings) { return resume(run, options, settings); });
}

std::vector<OptionText> train_options() {
  std::vector<OptionText> texts;
  describe_options<TrainOptions>(texts);
  describe_options<UpdateOptions>(texts);
  return texts;
}

std::vector<OptionText> distill_options() {
  std::vector<OptionText> texts;
  describe_options<DistillOptions>(texts);
  describe_options<UpdateOptions>(texts);
  return texts;
}

}  // namespace

void bind_runs(py::module_& module) {
  using ReleaseGil = py::call_guard<py::gil_scoped_release>;
  py::class_<PythonDataset, std::shared_ptr<PythonDataset>>(module, "Dataset")
      .def(py::init<py::object>(), py::arg("examples"));
  py::class_<Data>(module, "Data")
      .def(py::init<>())
      .def_readwrite("source", &Data::source)
      .def_readwrite("image_size", &Data::image_size)
      .def_readwrite("skip_broken", &Data::skip_broken);
  py::class_<RunArguments>(module, "RunArguments")
      .def(py::init<>())
      .def_readwrite("outdir", &RunArguments::outdir)
      .def_readwrite("device", &RunArguments::device)
      .def_readwrite("threads", &RunArguments::threads)
      .def_readwrite("features", &RunArguments::features)
      .def_readwrite("grid_images", &RunArguments::grid_images)
      .def_readwrite("command", &RunArguments::command)
      .def_readwrite("handles_signals", &RunArguments::handles_signals)
      .def_readwrite("observer", &RunArguments::observer)
      .def_readwrite("make", &RunArguments::make);
  py::class_<RunResult>(module, "RunResult")
      .def_property_readonly(
          "finished", [](const RunResult& result) { return result.outcome == Outcome::finished; })
      .def_readonly("folder", &RunResult::folder)
      .def_readonly("model_file", &RunResult::model_file);
  py::class_<OptionText>(module, "OptionText")
      .def_readonly("name", &OptionText::name)
      .def_readonly("type", &OptionText::type)
      .def_readonly("help", &OptionText::help);
  module.def("train", &run_train, py::arg("config"), py::arg("conditional"), py::arg("options"),
             py::arg("data"), py::arg("init"), py::arg("arguments"), ReleaseGil());
  module.def("distill", &run_distill, py::arg("teacher"), py::arg("config"), py::arg("options"),
             py::arg("data"), py::arg("init"), py::arg("arguments"), ReleaseGil());
  module.def("resume", &run_resume, py::arg("run"), py::arg("updates"), py::arg("data"),
             py::arg("arguments"), ReleaseGil());
  module.def("train_options", &train_options);
  module.def("distill_options", &distill_options);
}

}  // namespace halfstep::python
