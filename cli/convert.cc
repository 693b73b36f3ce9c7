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
};

int run(Flags flags) {
  flags.from = model_path(flags.from);
  require_outputs({{"--to", flags.to, /*is_folder=*/flags.to.extension() != ".safetensors"}});
  ConvertOptions options{.config = {},
                         .dtype = enum_of<WeightType>(flags.dtype, "--dtype"),
                         .guidance = flags.guidance};
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
  CLI::App* command =
      program.add_subcommand("convert", "Convert models from and to diffusers and other formats");
  command->footer(
      "Examples:\n"
      "  halfstep convert --from my-ddpm --to teacher.safetensors\n"
      "  halfstep convert --from RUN/stage-0004 --to my-ddpm-4-steps");
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
            "(required to write such a model as a diffusers folder)");
  command->option_defaults()->group(kOutputGroup);
  add_value(*command, "--to", flags->to,
            "FILE.safetensors for a halfstep model; any other name for a diffusers folder")
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
