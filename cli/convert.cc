// halfstep convert: converts models from and to other formats.
#include "halfstep/convert/convert.h"

#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "cli/command.h"
#include "cli/help.h"
#include "cli/model_path.h"
#include "cli/outputs.h"
#include "cli/values.h"
#include "halfstep/core/error.h"

namespace halfstep::cli {
namespace {

namespace fs = std::filesystem;

struct Flags {
  fs::path from;
  fs::path to;
  std::optional<std::string> config;
  std::string dtype = "float32";
  std::optional<double> guidance;
  std::optional<int64_t> steps;
  bool network = false;
};

int run(Flags flags) {
  flags.from = model_path(flags.from);
  const fs::path ending = flags.to.extension();
  require_outputs(
      {{"--to", flags.to, /*is_folder=*/ending != ".safetensors" && ending != ".onnx"}});
  ConvertOptions options{.config = {},
                         .dtype = enum_of<WeightType>(flags.dtype, "--dtype"),
                         .guidance = flags.guidance,
                         .num_steps = flags.steps,
                         .network = flags.network};
  if (flags.config) options.config = spec_of(config_of(*flags.config));
  const Conversion conversion = convert_model(flags.from, flags.to, options);
  for (const std::string& note : conversion.notes)
    std::fprintf(stderr, "%s: %s\n", flags.from.c_str(), one_line(note).c_str());
  if (!conversion.python.empty())
    std::fprintf(stderr, "to sample it in Python:\n%s", conversion.python.c_str());
  std::printf("%s\n", flags.to.c_str());
  return kDone;
}

}  // namespace

void add_convert(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand(
      "convert", "Convert models from and to diffusers, ONNX and other formats");
  command->footer(
      "Examples:\n"
      "  halfstep convert --from my-ddpm --to teacher.safetensors\n"
      "  halfstep convert --from RUN/stage-0004 --to my-ddpm-4-steps\n"
      "  halfstep convert --from RUN/stage-0004 --to student.onnx");
  auto flags = std::make_shared<Flags>();
  command->option_defaults()->group(kModelGroup);
  add_value(*command, "--from", flags->from,
            "Folder of a diffusers pipeline with a UNet2DModel, checkpoint_N of the official "
            "code, or model.safetensors or its folder")
      ->type_name("PATH")
      ->required();
  offer(add_value(*command, "--config", flags->config,
                  "Configuration that an official checkpoint was trained with (required for "
                  "these): built-in name or JSON file")
            ->type_name("NAME|FILE"),
        names_of_configs());
  add_value(*command, "--guidance", flags->guidance,
            "Guidance weight of a model that takes it as an input: makes it part of the weights "
            "(required to write such a model as a diffusers folder). To an ONNX file, the weight "
            "of any model with a null class: makes it part of the file");
  command->option_defaults()->group(kOnnxGroup);
  add_value(*command, "--steps", flags->steps,
            "Sampling steps in the file; required for a teacher, fixed for a distilled model");
  command->add_flag("--network", flags->network,
                    "Write one call of the network instead of the whole sampler");
  command->option_defaults()->group(kOutputGroup);
  add_value(*command, "--to", flags->to,
            "FILE.safetensors for a halfstep model, FILE.onnx for ONNX Runtime and others, any "
            "other name for a diffusers folder")
      ->type_name("PATH")
      ->required();
  offer(add_value(*command, "--dtype", flags->dtype,
                  "Type of the weights in the file: " + words_of<WeightType>() +
                      "; the last two halve it and require --to FILE.safetensors")
            ->type_name("NAME"),
        names_of<WeightType>());
  command->callback([&action, flags] { action = [flags] { return run(*flags); }; });
}

}  // namespace halfstep::cli
