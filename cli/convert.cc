// halfstep convert: models from and to other formats.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "halfstep/convert/diffusers.h"
#include "halfstep/convert/official_checkpoint.h"
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

// What `from` is, is found out by looking.
Model read_model(const Flags& flags) {
  const fs::path& from = flags.from;
  if (may_be_official_checkpoint(from)) {
    if (!flags.config) {
      throw ConfigError("--config", "expected the configuration that the checkpoint " +
                                        from.string() +
                                        " is of (cifar10, imagenet64, ...), received none");
    }
    return import_official_checkpoint(from, spec_of(config_of(*flags.config)));
  }
  if (flags.config) {
    throw ConfigError("--config", "expected none, for " + from.string() +
                                      " is no checkpoint of the official code; received " +
                                      *flags.config);
  }
  if (is_diffusers_folder(from)) {
    std::vector<std::string> notes;
    Model model = import_diffusers(from, &notes);
    for (const std::string& note : notes)
      std::fprintf(stderr, "%s: %s\n", from.c_str(), note.c_str());
    return model;
  }
  return Model::load(from, {.precision = PrecisionChoice::fp32});
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
    throw ConfigError("--bf16", "expected --to a .safetensors file, received " + flags.to.string() +
                                    "; a diffusers folder is loaded in any type");
  }
  const Model model = read_model(flags);
  if (is_torchscript(model.spec().network)) {
    throw ConfigError("--from", flags.from.string() +
                                    ": expected a network that halfstep makes, received "
                                    "TorchScript, whose code no other format holds");
  }
  if (to_file) {
    const std::vector<NamedTensor>& weights = model.network().parameters();
    save_model(flags.to, model.spec(), model.network(), flags.bf16 ? rounded(weights) : weights);
  } else {
    export_diffusers(model, flags.to);
  }
  std::printf("%s\n", flags.to.c_str());
  return kDone;
}

}  // namespace

void add_convert(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand("convert", "turn models into other formats and back");
  auto flags = std::make_shared<Flags>();
  command
      ->add_option("--from", flags->from,
                   "a folder of a diffusers DDPMPipeline or DDIMPipeline, a checkpoint of the "
                   "official code, a halfstep model.safetensors or its folder")
      ->required();
  command->add_option(
      "--config", flags->config,
      "of an official checkpoint: the configuration it is of, which it does not say");
  command
      ->add_option("--to", flags->to,
                   "FILE.safetensors: a halfstep model; any other name: a diffusers folder")
      ->required();
  command->add_flag("--bf16", flags->bf16, "write bf16 weights, to a .safetensors file");
  command->callback([&action, flags] { action = [flags] { return run(*flags); }; });
}

}  // namespace halfstep::cli
