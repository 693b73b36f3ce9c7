// Models: load, sample, denoise, save.
#include "halfstep/model/model.h"

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

#include "halfstep/conditioning/image_condition.h"
#include "halfstep/convert/convert.h"
#include "halfstep/convert/diffusers.h"
#include "halfstep/convert/fold_guidance.h"
#include "halfstep/convert/onnx.h"
#include "halfstep/core/enum_names.h"
#include "halfstep/diffusion/angle.h"
#include "halfstep/io/json.h"
#include "halfstep/metrics/known_images.h"
#include "halfstep/model/generate.h"
#include "halfstep/model/model_file.h"
#include "halfstep/model/spec_json.h"
#include "halfstep/train/config.h"
#include "halfstep/train/newest_model.h"
#include "halfstep/train/run_directory.h"
#include "python/bindings/bindings.h"
#include "python/bindings/module_network.h"

namespace halfstep::python {
namespace {

namespace fs = std::filesystem;

using ReleaseGil = py::call_guard<py::gil_scoped_release>;

Model on(const Model& model, const at::Device& device, const std::string& precision) {
  const auto choice = enum_of<PrecisionChoice>(precision, "precision");
  return model.on(device, resolve(choice, model.spec().network, device));
}

// Returns the model and the notes of its import.
std::pair<Model, std::vector<std::string>> load(const fs::path& path, const at::Device& device,
                                                const std::string& precision,
                                                const std::optional<std::string>& config,
                                                const py::object& make) {
  const py::gil_scoped_release release;
  const bool is_run = fs::exists(path / "options.json");
  const fs::path file = is_run ? newest_model(RunDirectory(path)).file : path;
  if (!config && (model_file_at(file) || format_of_model(file) == ModelFormat::halfstep)) {
    const auto choice = enum_of<PrecisionChoice>(precision, "precision");
    return {Model::load(file, {.device = device, .precision = choice, .factory = factory_of(make)}),
            {}};
  }
  ConvertOptions options;
  if (config) options.config = spec_of(load_config(*config));
  ImportedModel imported = import_model(file, options);
  return {on(imported.model, device, precision), std::move(imported.notes)};
}

// Returns a model whose network is an object of the class Module of halfstep/_module.py.
Model external_model(const py::object& module, const std::string& spec_text) {
  ModelSpec spec = spec_from_json(io::parse_json(spec_text, "spec"), "spec");
  auto& network = std::get<ExternalOptions>(spec.network);
  if (!network.shape.empty())
    network.condition_ch = condition_channels(spec.condition, network.shape.front());
  validate(spec);
  return {spec, std::make_unique<ModuleNetwork>(module, network)};
}

// What sample() is told apart from the seeds; labels are numbers, and kNullLabel for no class.
struct SampleArguments {
  std::optional<int64_t> class_label;
  std::vector<int64_t> class_labels;
  std::optional<int64_t> steps;
  std::optional<double> guidance;
  std::optional<std::string> sampler;
  std::optional<double> variance;
  std::string spacing;
  bool no_clip = false;
  int64_t batch = 0;
  bool force_steps = false;
  // Of a model that restores images: metrics::KnownImagesInput.
  std::optional<at::Tensor> input;
  std::optional<at::Tensor> mask;
  bool degrade = false;
};

// Returns what is known of the images that a model restores.
KnownImages known_of(const Model& model, const SampleArguments& arguments,
                     std::vector<uint64_t> seeds) {
  if (!arguments.input) return {};
  return metrics::known_images(model.spec(),
                               {.images = *arguments.input,
                                .masks = arguments.mask.value_or(at::Tensor()),
                                .degrade = arguments.degrade},
                               seeds);
}

GenerateOptions options_of(const SampleArguments& arguments) {
  GenerateOptions options{.num_steps = arguments.steps,
                          .variance = arguments.variance,
                          .spacing = enum_of<Spacing>(arguments.spacing, "spacing"),
                          .clip_x = !arguments.no_clip,
                          .class_label = arguments.class_label,
                          .class_labels = arguments.class_labels,
                          .guidance = arguments.guidance,
                          .batch = arguments.batch,
                          .force_steps = arguments.force_steps};
  if (arguments.sampler) options.sampler = enum_of<Sampler>(*arguments.sampler, "sampler");
  return options;
}

// Calls `callback`, unless it is None, with the number of samples drawn after each batch. Ctrl-C
// ends the sampling there too.
at::Tensor sample(const Model& model, const std::vector<uint64_t>& seeds,
                  const SampleArguments& arguments, const std::optional<at::Tensor>& noise,
                  const py::object& callback) {
  const py::gil_scoped_release release;
  GenerateOptions options = options_of(arguments);
  options.known = known_of(model, arguments, seeds);
  const Samples samples =
      generate(model, seeds, options, noise.value_or(at::Tensor()), [&](int64_t done) {
        const py::gil_scoped_acquire acquire;
        if (PyErr_CheckSignals() != 0) throw py::error_already_set();
        if (!callback.is_none()) callback(done);
      });
  return samples.images.clone();  // tensors of inference mode cannot be changed in place
}

// Labels are those of all examples, or none.
std::pair<at::Tensor, at::Tensor> denoise(const Model& model, const at::Tensor& z,
                                          const at::Tensor& logsnr,
                                          const std::optional<std::vector<int64_t>>& labels,
                                          const std::optional<double>& guidance,
                                          const std::optional<at::Tensor>& image) {
  const py::gil_scoped_release release;
  const at::NoGradGuard no_grad;
  Condition condition;
  if (labels) {
    for (const int64_t label : *labels) require_class(model.spec(), label);
    condition.labels = at::tensor(*labels, at::TensorOptions().dtype(at::kLong)).to(model.device());
  } else if (num_classes(model.spec().network) > 1) {
    require_class(model.spec(), kNullLabel);
  }
  if (image) condition.tensors[kConditionImage] = image->to(model.device(), at::kFloat);
  const at::Tensor phi = phi_of_logsnr(logsnr.to(at::kCPU, at::kDouble));
  Prediction prediction = guided_denoiser(model, guidance)(
      z.to(model.device(), at::kFloat), phi.dim() == 0 ? phi.expand({z.size(0)}) : phi, condition);
  return {std::move(prediction.x), std::move(prediction.eps)};
}

void save_diffusers(const Model& model, const fs::path& folder,
                    const std::optional<double>& guidance) {
  export_diffusers(guidance ? fold_guidance(model, *guidance) : model, folder);
}

void write_onnx(const Model& model, const fs::path& path, const std::optional<int64_t>& steps,
                const std::optional<double>& guidance, bool network) {
  save_onnx(model, {.network = network, .num_steps = steps, .guidance = guidance}, path);
}

// Returns copies of the weights: writing to the network's own would leave its casts behind.
std::vector<std::pair<std::string, at::Tensor>> weights(const Model& model) {
  std::vector<std::pair<std::string, at::Tensor>> copies;
  for (const NamedTensor& parameter : model.network().parameters())
    copies.emplace_back(parameter.name, parameter.tensor.detach().clone());
  return copies;
}

}  // namespace

void bind_model(py::module_& module) {
  module.def("load", &load, py::arg("path"), py::arg("device"), py::arg("precision"),
             py::arg("config"), py::arg("make"));
  module.def("external_model", &external_model, py::arg("module"), py::arg("spec"));
  py::class_<SampleArguments>(module, "SampleArguments")
      .def(py::init<>())
      .def_readwrite("class_label", &SampleArguments::class_label)
      .def_readwrite("input", &SampleArguments::input)
      .def_readwrite("mask", &SampleArguments::mask)
      .def_readwrite("degrade", &SampleArguments::degrade)
      .def_readwrite("class_labels", &SampleArguments::class_labels)
      .def_readwrite("steps", &SampleArguments::steps)
      .def_readwrite("guidance", &SampleArguments::guidance)
      .def_readwrite("sampler", &SampleArguments::sampler)
      .def_readwrite("variance", &SampleArguments::variance)
      .def_readwrite("spacing", &SampleArguments::spacing)
      .def_readwrite("no_clip", &SampleArguments::no_clip)
      .def_readwrite("batch", &SampleArguments::batch)
      .def_readwrite("force_steps", &SampleArguments::force_steps);
  py::class_<Model>(module, "Model")
      .def("sample", &sample, py::arg("seeds"), py::arg("arguments"), py::arg("noise"),
           py::arg("callback"))
      .def("denoise", &denoise, py::arg("z"), py::arg("logsnr"), py::arg("labels"),
           py::arg("guidance"), py::arg("condition"))
      .def("on", &on, py::arg("device"), py::arg("precision"), ReleaseGil())
      .def("save", &Model::save, py::arg("path"), ReleaseGil())
      .def("save_diffusers", &save_diffusers, py::arg("folder"), py::arg("guidance"), ReleaseGil())
      .def("save_onnx", &write_onnx, py::arg("path"), py::arg("steps"), py::arg("guidance"),
           py::arg("network"), ReleaseGil())
      .def("weights", &weights)
      .def_property_readonly("device", &Model::device)
      .def_property_readonly(
          "precision", [](const Model& model) { return std::string(name_of(model.precision())); })
      .def_property_readonly("spec",
                             [](const Model& model) { return to_json(model.spec()).dump(); })
      .def_property_readonly("shape",
                             [](const Model& model) { return input_shape(model.spec().network); })
      .def_property_readonly("images",
                             [](const Model& model) { return is_image(model.spec().network); })
      .def_property_readonly("num_classes",
                             [](const Model& model) { return num_classes(model.spec().network); });
}

}  // namespace halfstep::python
