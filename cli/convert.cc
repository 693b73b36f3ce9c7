// halfstep convert: converts models from and to other formats.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/help.h"
#include "halfstep/convert/diffusers.h"
#include "halfstep/convert/flax_checkpoint.h"
#include "halfstep/core/error.h"
#include "halfstep/model/model_file.h"
#include "halfstep/train/options.h"

namespace halfstep::cli {
namespace {

namespace fs = std::filesystem;

struct Flags {
  fs::path from;
  fs::path to;
  std::optional<std::string> config;
  bool bf16 = false;
};

// Reads the model of --from in whichever format it has.
Model read_model(const Flags& flags) {
  const fs::path& from = flags.from;
  if (may_be_flax_checkpoint(from)) {
    if (!flags.config) {
      throw ConfigError("--config", "expected the configuration of the checkpoint " +
                                        from.string() +
                                        " (cifar10, imagenet64, ...), received none");
    }
    return load_flax_checkpoint(from, spec_of(config_of(*flags.config)));
  }
  if (flags.config) {
    throw ConfigError("--config", "expected none, since " + from.string() +
                                      " is not a checkpoint of the official code; received " +
                                      *flags.config);
  }
  if (is_diffusers_folder(from)) {
    DiffusersImport imported = import_diffusers(from);
    for (const std::string& note : imported.notes)
      std::fprintf(stderr, "%s: %s\n", from.c_str(), note.c_str());
    return std::move(imported.model);
  }
  return load_model(from);
}

std::vector<NamedTensor> rounded(const std::vector<NamedTensor>& weights) {
  std::vector<NamedTensor> result;
  for (const auto& [name, tensor] : weights)
    result.push_back({.name = name, .tensor = tensor.detach().to(at::kBFloat16)});
  return result;
}

int run(const Flags& flags) {
  const bool to_file = flags.to.extension() == ".safetensors";
  if (flags.bf16 && !to_file) {
    throw ConfigError("--bf16", "expected a .safetensors file as --to, received " +
                                    flags.to.string() +
                                    "; diffusers can load its folders in any type");
  }
  const Model model = read_model(flags);
  if (is_torchscript(model.spec.network)) {
    throw ConfigError("--from", flags.from.string() +
                                    ": expected a built-in network, received TorchScript, whose "
                                    "code no other format can hold");
  }
  if (to_file) {
    const std::vector<NamedTensor>& weights = model.network->parameters();
    save_model(flags.to, model.spec, *model.network, flags.bf16 ? rounded(weights) : weights);
  } else {
    export_diffusers(model, flags.to);
  }
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
  command
      ->add_option("--from", flags->from,
                   "Folder of a diffusers DDPMPipeline or DDIMPipeline, checkpoint_N of the "
                   "official code, or model.safetensors or its folder")
      ->type_name("PATH")
      ->required();
  command
      ->add_option("--config", flags->config,
                   "Configuration of an official checkpoint, which does not contain it; built-in "
                   "name or JSON file")
      ->type_name("NAME|FILE");
  command->option_defaults()->group(kOutputGroup);
  command
      ->add_option("--to", flags->to,
                   "FILE.safetensors for a halfstep model; any other name for a diffusers folder")
      ->type_name("PATH")
      ->required();
  command->add_flag("--bf16", flags->bf16, "Write bf16 weights; requires --to FILE.safetensors");
  command->callback([&action, flags] { action = [flags] { return run(*flags); }; });
}

}  // namespace halfstep::cli
