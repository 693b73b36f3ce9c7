// Training, distillation and resuming.
#include <pybind11/stl/filesystem.h>

#include <cstdint>
#include <filesystem>
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
#include "halfstep/model/model_file.h"
#include "halfstep/train/distill.h"
#include "halfstep/train/newest_model.h"
#include "halfstep/train/recipe.h"
#include "halfstep/train/sharing.h"
#include "python/bindings/bindings.h"
#include "python/bindings/dataset.h"
#include "python/bindings/execution.h"
#include "python/bindings/options.h"

namespace halfstep::python {
namespace {

namespace fs = std::filesystem;

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

using RunOrPlan = std::variant<RunResult, Plan>;

ImageCondition condition_of(const std::string& text) {
  const std::optional<ImageCondition> condition = ImageCondition::of(text);
  if (condition) return *condition;
  throw ConfigError("train", "condition: expected " + std::string(ImageCondition::kSyntax) +
                                 ", received \"" + text + "\"");
}

RunOrPlan run_train(const std::string& config_name, std::optional<bool> conditional,
                    const std::optional<std::string>& condition, const std::string& options,
                    const Data& data, const std::optional<Source>& init,
                    const RunArguments& arguments) {
  const ThreadsGuard threads(arguments.threads);
  Config config = load_config(config_name);
  if (conditional) config.conditional = *conditional;
  if (condition) config.model.condition = condition_of(*condition);
  set_options(io::parse_json(options, "train"), "train", config.train_update, config.train);
  const Processes processes = join_processes(arguments.device);
  const TrainingData opened = data.open();
  std::optional<SourceModel> source = load_init(init);
  if (arguments.dry_run || arguments.budget) {
    const RunOptions planned = plan_run(config, opened, source);
    const std::unique_ptr<Network> network = make_network(planned.model);
    network->initialize(planned.update.seed);
    scale_updates(config.train,
                  budget_factor(arguments, processes, planned, *network, *opened.dataset));
    if (arguments.dry_run) {
      return plan(arguments, processes, plan_run(config, opened, source), *network,
                  *opened.dataset);
    }
  }
  return execute(arguments, processes, arguments.features, [&](const RunSettings& settings) {
    return train(config, opened, settings, std::move(source));
  });
}

RunOrPlan run_distill(const Source& teacher, const std::string& config_name,
                      const std::string& options, const Data& data,
                      const std::optional<Source>& init, const RunArguments& arguments) {
  const ThreadsGuard threads(arguments.threads);
  Config config = load_config(config_name);
  SourceModel source = load_source(teacher);
  const ModelSpec& spec = source.model().spec();
  if (spec.sampling.is_distilled()) config.distill.start_steps = spec.sampling.num_steps;
  set_options(io::parse_json(options, "distill"), "distill", config.distill_update, config.distill);
  const Processes processes = join_processes(arguments.device);
  const TrainingData opened = data.open();
  std::optional<SourceModel> start = load_init(init);
  config.distill = choose_method(config.distill, spec, start.has_value());
  const auto planned = [&] {
    return plan_run(source, opened, config.distill, config.distill_update, start);
  };
  const Network& network = source.model().network();
  if (arguments.budget) {
    scale_updates(config.distill,
                  budget_factor(arguments, processes, planned(), network, *opened.dataset));
  }
  if (arguments.dry_run) return plan(arguments, processes, planned(), network, *opened.dataset);
  return execute(arguments, processes, arguments.features, [&](const RunSettings& settings) {
    return distill(std::move(source), opened, config.distill, config.distill_update, settings,
                   std::move(start));
  });
}

RunResult run_resume(const fs::path& run, std::optional<int64_t> updates,
                     const std::optional<Data>& data, const RunArguments& arguments) {
  const ThreadsGuard threads(arguments.threads);
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
  if (is_external(recorded.model.network) && arguments.make.is_none()) {
    throw ConfigError("resume",
                      "teacher_factory: expected a function that returns the module of this run, "
                      "whose code is not in its files, received none");
  }
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
      .def_readwrite("budget", &RunArguments::budget)
      .def_readwrite("dry_run", &RunArguments::dry_run)
      .def_readwrite("command", &RunArguments::command)
      .def_readwrite("handles_signals", &RunArguments::handles_signals)
      .def_readwrite("observer", &RunArguments::observer)
      .def_readwrite("make", &RunArguments::make);
  py::class_<RunResult>(module, "RunResult")
      .def_property_readonly(
          "finished", [](const RunResult& result) { return result.outcome == Outcome::finished; })
      .def_readonly("folder", &RunResult::folder)
      .def_readonly("model_file", &RunResult::model_file);
  py::class_<Stage>(module, "Stage")
      .def_readonly("name", &Stage::name)
      .def_readonly("num_steps", &Stage::num_steps)
      .def_readonly("updates", &Stage::updates);
  py::class_<Forecast>(module, "Forecast")
      .def_readonly("stages", &Forecast::stages)
      .def_readonly("parameters", &Forecast::parameters)
      .def_readonly("updates", &Forecast::updates)
      .def_readonly("images", &Forecast::images)
      .def_readonly("flops", &Forecast::flops)
      .def_readonly("memory", &Forecast::memory)
      .def_readonly("disk", &Forecast::disk)
      .def_readonly("seconds", &Forecast::seconds);
  py::class_<Plan>(module, "Plan")
      .def_readonly("options", &Plan::options)
      .def_readonly("forecast", &Plan::forecast);
  py::class_<OptionText>(module, "OptionText")
      .def_readonly("name", &OptionText::name)
      .def_readonly("type", &OptionText::type)
      .def_readonly("help", &OptionText::help);
  module.def("train", &run_train, py::arg("config"), py::arg("conditional"), py::arg("condition"),
             py::arg("options"), py::arg("data"), py::arg("init"), py::arg("arguments"),
             ReleaseGil());
  module.def("distill", &run_distill, py::arg("teacher"), py::arg("config"), py::arg("options"),
             py::arg("data"), py::arg("init"), py::arg("arguments"), ReleaseGil());
  module.def("resume", &run_resume, py::arg("run"), py::arg("updates"), py::arg("data"),
             py::arg("arguments"), ReleaseGil());
  module.def("train_options", &train_options);
  module.def("distill_options", &distill_options);
}

}  // namespace halfstep::python
