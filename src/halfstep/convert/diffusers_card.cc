#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "halfstep/convert/diffusers_exported.h"
#include "halfstep/core/error.h"
#include "halfstep/core/version.h"
#include "halfstep/diffusion/guidance.h"

namespace halfstep {
namespace {

constexpr int64_t kTeacherSteps = 50;  // in examples
constexpr size_t kMostClasses = 100;   // listed

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

std::string python_string(const std::string& text) { return nlohmann::json(text).dump(); }

// Returns text from a model file as a code span.
std::string code(std::string text) {
  constexpr size_t kLongest = 100;
  text = one_line(text.substr(0, kLongest));
  std::ranges::replace(text, '`', '\'');
  return "`" + text + "`";
}

// Returns the steps to sample with: those of a student; for a teacher a divisor of the timesteps.
int64_t steps_of(const ModelSpec& spec) {
  if (spec.sampling.is_distilled()) return spec.sampling.num_steps;
  const auto* network = std::get_if<UNet2dOptions>(&spec.network);
  const int64_t timesteps = network ? network->num_train_timesteps : 1000;
  return timesteps % kTeacherSteps == 0 ? kTeacherSteps : timesteps;
}

// Returns the first class, by its name if that is plain.
std::string class_of(const ModelSpec& spec) {
  const bool named = !spec.class_names.empty() && is_printable(spec.class_names.front()) &&
                     spec.class_names.front() != "none";
  return named ? python_string(spec.class_names.front()) : "0";
}

// Returns the path as a string of Python, or "FOLDER" if it is not plain.
std::string python_path(const std::filesystem::path& folder) {
  return is_printable(folder.native()) ? python_string(folder.native()) : "\"FOLDER\"";
}

std::string shape_of(const ModelSpec& spec, const char* separator) {
  std::string text;
  for (const int64_t size : input_shape(spec.network))
    text += (text.empty() ? "" : separator) + std::to_string(size);
  return text;
}

std::string front_matter(const ModelSpec& spec) {
  std::string text = "---\nlibrary_name: diffusers\n";
  if (is_image(spec.network)) text += "pipeline_tag: unconditional-image-generation\n";
  text += "tags:\n- halfstep\n- diffusion\n";
  if (spec.sampling.is_distilled()) text += "- distillation\n";
  return text + "---\n\n";
}

std::string summary(const ModelSpec& spec) {
  const bool distilled = spec.sampling.is_distilled();
  const std::string steps = std::to_string(spec.sampling.num_steps);
  const int64_t classes = num_classes(spec.network);
  std::string text = distilled ? "# A diffusion model distilled to " + steps + " sampling steps\n\n"
                               : "# A diffusion model\n\n";
  text += "It draws " + std::string(is_image(spec.network) ? "images" : "examples") + " of " +
          shape_of(spec, " x ") + " (C x H x W)";
  if (classes > 1) text += " of " + std::to_string(classes) + " classes";
  text += distilled ? " in " + steps + " steps, and in no other number of steps.\n\n" : ".\n\n";
  if (const std::optional<double> w = spec.sampling.fixed_guidance()) {
    text +=
        "Classifier-free guidance of weight " + text_of_guidance(*w) +
        " (1 is off) is part of its weights: it takes one call per step, and no other weight.\n\n";
  }
  return text;
}

std::string plain_recipe(const ModelSpec& spec, const std::string& folder) {
  const bool image = is_image(spec.network);
  const bool classes = num_classes(spec.network) > 1;
  const bool ancestral = spec.sampling.sampler == Sampler::ancestral;
  const std::string scheduler = ancestral ? "DDPMScheduler" : "DDIMScheduler";
  return "```python\n"
         "import torch\n"
         "from diffusers import " +
         scheduler +
         ", UNet2DModel\n\n"
         "unet = UNet2DModel.from_pretrained(" +
         folder +
         ", subfolder=\"unet\")\n"
         "scheduler = " +
         scheduler + ".from_pretrained(" + folder + ", subfolder=\"scheduler\"" +
         (image ? ", clip_sample=True" : "") +
         ")\n"
         "scheduler.set_timesteps(" +
         std::to_string(steps_of(spec)) +
         ")\n"
         "z = torch.randn(16, " +
         shape_of(spec, ", ") + ")\n" +
         (classes ? "labels = torch.zeros(16, dtype=torch.long)  # the first class\n" : "") +
         "with torch.no_grad():\n"
         "    for t in scheduler.timesteps:\n"
         "        output = unet(z, t" +
         (classes ? ", class_labels=labels" : "") +
         ").sample\n"
         "        z = scheduler.step(output, t, z" +
         (image && !ancestral ? ", use_clipped_model_output=True" : "") + ").prev_sample\n" +
         (image ? "images = (z / 2 + 0.5).clamp(0, 1)  # float32 [N, C, H, W]\n" : "") + "```\n\n";
}

std::string use(const ModelSpec& spec, const std::filesystem::path& folder) {
  return "## Use\n\n```python\n" + python_call(spec, folder) +
         "```\n\n"
         "These are the samples of `halfstep sample` with the same seeds. `trust_remote_code` runs "
         "`pipeline.py` of\nthis folder, whose `__call__` describes the arguments; `python "
         "sample.py "
         "--help` is the same as a program.\n\n"
         "Without code from this folder, with noise of PyTorch:\n\n" +
         plain_recipe(spec, python_path(folder));
}

std::string classes(const ModelSpec& spec) {
  if (spec.class_names.empty()) return {};
  std::string text = "## Classes\n\n| number | name |\n|---|---|\n";
  const size_t listed = std::min(kMostClasses, spec.class_names.size());
  for (size_t k = 0; k < listed; ++k) {
    std::string name = code(spec.class_names[k]);
    std::ranges::replace(name, '|', '/');
    text += "| " + std::to_string(k) + " | " + name + " |\n";
  }
  if (listed < spec.class_names.size()) {
    text += "\nThe other " + std::to_string(spec.class_names.size() - listed) +
            " are in `model_index.json`.\n";
  }
  return text + "\n";
}

std::string origin(const ModelSpec& spec) {
  std::string text = "## How it was made\n\n";
  const auto line = [&](const char* what, const std::string& value) {
    text += "- " + std::string(what) + ": " + value + "\n";
  };
  if (!spec.origin.data.empty()) line("data set", code(spec.origin.data));
  if (!spec.origin.teacher_sha256.empty())
    line("SHA-256 of the teacher's file", code(spec.origin.teacher_sha256));
  if (spec.origin.updates > 0) {
    line("updates", std::to_string(spec.origin.updates) + " with batches of " +
                        std::to_string(spec.origin.batch));
    line("seed", std::to_string(spec.origin.seed));
  }
  line("exported by", "halfstep " + std::string(version()));
  return text;
}

}  // namespace

std::string python_call(const ModelSpec& spec, const std::filesystem::path& folder) {
  std::string arguments = "seeds=range(16)";
  if (!spec.sampling.is_distilled())
    arguments = "num_inference_steps=" + std::to_string(steps_of(spec)) + ", " + arguments;
  if (num_classes(spec.network) > 1)
    arguments = "class_labels=" + class_of(spec) + ", " + arguments;
  return "from diffusers import DiffusionPipeline\n"
         "pipeline = DiffusionPipeline.from_pretrained(" +
         python_path(folder) +
         ", trust_remote_code=True)\n"
         "samples = pipeline(" +
         arguments + ").images\n";
}

std::string model_card(const ModelSpec& spec, const std::filesystem::path& folder) {
  const std::filesystem::path absolute = std::filesystem::absolute(folder).lexically_normal();
  const std::filesystem::path name =
      absolute.has_filename() ? absolute.filename() : absolute.parent_path().filename();
  return front_matter(spec) + summary(spec) + use(spec, name) + classes(spec) + origin(spec);
}

}  // namespace halfstep
