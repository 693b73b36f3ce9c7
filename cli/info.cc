// halfstep info: describes a model, a run, a data set, an .npz or an .onnx.
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/help.h"
#include "cli/load_model.h"
#include "cli/values.h"
#include "halfstep/convert/onnx.h"
#include "halfstep/core/error.h"
#include "halfstep/data/check_dataset.h"
#include "halfstep/diffusion/guidance.h"
#include "halfstep/io/hash.h"
#include "halfstep/io/npy.h"
#include "halfstep/metrics/moments.h"
#include "halfstep/model/model_file.h"
#include "halfstep/model/spec_json.h"
#include "halfstep/train/newest_model.h"
#include "halfstep/train/run_directory.h"

namespace halfstep::cli {
namespace {

namespace fs = std::filesystem;

void print(const char* name, const std::string& value) {
  std::printf("%-11s %s\n", name, value.c_str());
}

// Returns a shape as "3 x 32 x 32".
std::string by(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t size : shape) text += (text.empty() ? "" : " x ") + std::to_string(size);
  return text;
}

int info_of_run(const fs::path& path) {
  const RunDirectory directory(path);
  const RunOptions options = directory.options();
  print("run", path.string());
  print("kind", std::string(name_of(options.kind)));
  print("data", options.data.string());
  const std::vector<Stage> stages = options.stages();
  int64_t total = 0;
  for (const Stage& stage : stages) total += stage.updates;
  const std::optional<SavedState> saved = directory.load_state();
  print("updates", (saved ? std::to_string(saved->progress.total_updates) : "0") + " of " +
                       std::to_string(total) + " saved" +
                       (saved ? ", " + std::to_string(saved->progress.skipped) + " skipped" : ""));
  for (const Stage& stage : stages) {
    const std::optional<fs::path> model = model_file_at(directory.stage_folder(stage));
    const std::vector<Snapshot> snapshots = snapshots_of(directory, stage);
    const std::string newest =
        snapshots.empty() ? "" : "; newest snapshot: " + snapshots.back().folder.string();
    print(stage.name.c_str(), (model ? model->string() : "not finished") + newest);
  }
  print("options", to_json(options).dump(2));
  return kDone;
}

// Describes the guidance that a model was distilled with; empty if there was none.
std::string guidance_text(const ModelSpec& spec) {
  const Sampling& sampling = spec.sampling;
  if (const std::optional<double> w = sampling.fixed_guidance())
    return text_of_guidance(*w) + ", part of its weights";
  if (guidance_channels(spec.network) == 0) return "";
  return text_of_guidance(*sampling.guidance_min) + " to " +
         text_of_guidance(*sampling.guidance_max) + ", an input of its network";
}

std::string classes_text(const ModelSpec& spec) {
  return std::to_string(num_classes(spec.network)) +
         (spec.has_null_class ? " and the null class" : "");
}

// Prints what a model draws, and from what.
void print_examples(const ModelSpec& spec) {
  print(is_image(spec.network) ? "images" : "examples", by(input_shape(spec.network)));
  const bool restores = spec.condition.is_on();
  if (restores) print("condition", spec.condition.text());
  if (num_classes(spec.network) > 0 || !restores) print("classes", classes_text(spec));
}

int info_of_model(const fs::path& path) {
  const Model model = load_model(path, {.precision = PrecisionChoice::fp32});
  const ModelSpec& spec = model.spec();
  print("model", path.string());
  if (fs::is_regular_file(path)) print("sha256", io::sha256_hex_of_file(path));
  print_examples(spec);
  print("steps",
        spec.sampling.is_distilled() ? std::to_string(spec.sampling.num_steps) : "any (a teacher)");
  if (const std::string guidance = guidance_text(spec); !guidance.empty())
    print("guidance", guidance);
  print("parameters", std::to_string(count_parameters(model.network())));
  if (model_file_at(path)) {
    if (const auto type = weight_type_of(path)) print("stored as", std::string(io::name_of(*type)));
  }
  print("spec", to_json(spec).dump(2));
  return kDone;
}

int info_of_onnx(const fs::path& path) {
  const OnnxDescription file = describe_onnx(path);
  const ModelSpec& spec = file.spec;
  print("onnx", path.string());
  print("sha256", io::sha256_hex_of_file(path));
  print("contents", file.network ? "one call of the network" : "a sampler");
  print_examples(spec);
  if (!file.network) print("steps", std::to_string(file.num_steps));
  print("guidance", file.guidance ? text_of_guidance(*file.guidance) +
                                        (*file.guidance == 1.0 ? " (off)" : ", part of the file")
                                  : guidance_text(spec));
  print("spec", to_json(spec).dump(2));
  return kDone;
}

int info_of_data(const fs::path& path, std::optional<int64_t> image_size) {
  const data::DatasetReport report = data::check_dataset(
      path, {.image_size = image_size}, [](int64_t /*done*/, int64_t /*images*/) { return true; });
  const data::SplitReport& split = report.splits.front();
  const data::DatasetInfo& info = split.info;
  print("data", one_line(info.name));
  print("format", info.format);
  print(info.holds_images() ? "images" : "examples",
        std::to_string(info.size) + " of " + by(info.shape()));
  print("classes", std::to_string(info.num_classes));
  for (size_t k = 0; k < info.class_names.size(); ++k)
    print("", std::to_string(k) + " " + one_line(info.class_names[k]));
  if (report.problems.empty()) print("fingerprint", split.fingerprint);
  std::printf("\n%s", report.text().c_str());
  return kDone;
}

int info_of_npz(const fs::path& path) {
  const std::map<std::string, io::Array> arrays = io::read_npz(path);
  if (arrays.contains("mu")) {
    const metrics::Moments moments = metrics::moments_of(arrays, path.string());
    print("moments", path.string());
    print("features", std::to_string(moments.mean.size(0)));
    return kDone;
  }
  print("arrays", path.string());
  for (const auto& [name, array] : arrays)
    print(name.c_str(), std::string(io::name_of(array.dtype)) + " " + io::to_string(array.shape));
  return kDone;
}

int run(const fs::path& path, std::optional<int64_t> image_size) {
  if (!fs::exists(path))
    throw IoError(path.string(), "expected a model, a run or a data set, received nothing");
  if (fs::exists(path / "options.json")) return info_of_run(path);
  if (is_model(path)) return info_of_model(model_file_at(path).value_or(path));
  if (path.extension() == ".npz") return info_of_npz(path);
  if (path.extension() == ".onnx") return info_of_onnx(path);
  return info_of_data(path, image_size);
}

}  // namespace

void add_info(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand(
      "info", "Describe a model, a run, a data set, an .npz or an .onnx file");
  command->footer(
      "Examples:\n"
      "  halfstep info models/fashion-teacher\n"
      "  halfstep info runs/00000-fashion-mnist-distill-32to4");
  auto path = std::make_shared<fs::path>();
  auto image_size = std::make_shared<std::optional<int64_t>>();
  add_value(*command, "path", *path, "Model, run, data set, .npz or .onnx")->required();
  command->option_defaults()->group(kDataGroup);
  add_value(*command, "--image-size", *image_size,
            "Describe a data set as if its images were cropped and resized to this size in pixels");
  command->callback([&action, path, image_size] {
    action = [path, image_size] { return run(*path, *image_size); };
  });
}

}  // namespace halfstep::cli
