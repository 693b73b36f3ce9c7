// halfstep bench: how fast this machine trains, distils and samples, and what share of its own
// convolution peak that is.
#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/measure.h"
#include "halfstep/core/error.h"
#include "halfstep/io/json.h"
#include "halfstep/model/model_file.h"
#include "halfstep/train/options.h"

namespace halfstep::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int64_t kModelBatch = 64;  // images an update of --model

struct Flags {
  std::optional<std::string> config;
  std::optional<fs::path> model;
  std::optional<int64_t> batch;
  std::string precision = "auto";
  int64_t runs = 5;
  std::vector<std::string> only = {"train", "distill", "sample"};
  std::optional<fs::path> json_file;
  ComputeFlags compute;
};

// A fresh network of the configuration, for images as its network section has them.
Subject subject_of(const Config& config, const LoadOptions& options) {
  const ModelSpec spec = spec_of(config);
  std::unique_ptr<Network> network = make_network(spec);
  network->initialize(/*seed=*/0);
  network->to(options.device);
  const Precision precision = resolve(options.precision, spec.network, options.device);
  return {.name = config.name,
          .model = Model(spec, std::move(network), precision),
          .train = config.train_update,
          .distill = config.distill_update};
}

Subject subject_of(const Flags& flags, const LoadOptions& options) {
  if (flags.config.has_value() == flags.model.has_value()) {
    throw ConfigError("bench",
                      std::string("subject: expected either --config or --model, received ") +
                          (flags.config ? "both" : "neither"));
  }
  Subject subject = flags.config ? subject_of(config_of(*flags.config), options)
                                 : Subject{.name = flags.model->string(),
                                           .model = Model::load(*flags.model, options),
                                           .distill = {.batch = kModelBatch}};
  if (flags.batch) subject.distill.batch = *flags.batch;
  subject.train.batch = subject.distill.batch;
  validate(subject.train);
  validate(subject.distill);
  return subject;
}

void print_line(const char* name, const std::string& value) {
  std::printf("%-12s%s\n", name, value.c_str());
}

// To four digits, without an exponent; "?" for null.
std::string rounded(const json& number) {
  if (number.is_null()) return "?";
  const auto value = number.get<double>();
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), value < 1e3 ? "%.4g" : "%.0f", value);
  return text.data();
}

void print(const json& report) {
  print_line("subject", report["subject"].get<std::string>());
  print_line("on", report["device"].get<std::string>() + ", " + report["threads"].dump() +
                       " threads, " + report["cpu_capability"].get<std::string>() + ", " +
                       report["precision"].get<std::string>());
  print_line("parameters", report["parameters"].dump());
  print_line("forward", rounded(report["forward_gflop"]) + " GFLOP an image");
  print_line("peak", rounded(report["convolution_peak_gflops"]) + " GFLOP/s, of convolutions");
  if (const json& memory = report["memory_mib"]; !memory.is_null()) {
    print_line("memory", rounded(memory["networks"]) + " MiB with the networks loaded, " +
                             rounded(memory["peak"]) + " MiB at most: an update (" +
                             memory["operation"].get<std::string>() + ") adds " +
                             rounded(memory["update_adds"]) + " MiB");
  }
  std::printf("\n%-10s%6s%6s%12s%12s%12s%12s%10s\n", "", "steps", "batch", "median ms", "min ms",
              "images/s", "GFLOP/s", "of peak");
  for (const json& result : report["results"]) {
    const json& steps = result["steps"];
    const json& share = result["share_of_peak"];
    const json percent = share.is_null() ? share : json(std::round(100.0 * share.get<double>()));
    std::printf("%-10s%6s%6s%12s%12s%12s%12s%9s%%\n",
                result["operation"].get<std::string>().c_str(),
                steps.is_null() ? "" : steps.dump().c_str(), result["batch"].dump().c_str(),
                rounded(result["median_ms"]).c_str(), rounded(result["min_ms"]).c_str(),
                rounded(result["images_per_second"]).c_str(), rounded(result["gflops"]).c_str(),
                rounded(percent).c_str());
  }
}

int run(const Flags& flags) {
  const at::Device device = flags.compute.apply();
  std::set<Operation> wanted;
  for (const std::string& word : flags.only) wanted.insert(enum_of<Operation>(word, "--only"));
  if (flags.runs < 1) {
    throw ConfigError("--runs", "expected at least 1, received " + std::to_string(flags.runs));
  }
  const auto choice = enum_of<PrecisionChoice>(flags.precision, "--precision");
  const Subject subject = subject_of(flags, {.device = device, .precision = choice});
  const json report = measure(subject, wanted, flags.runs);
  print(report);
  if (flags.json_file) io::write_json(*flags.json_file, report);
  return kDone;
}

}  // namespace

void add_bench(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand("bench", "measure training, distilling and sampling");
  auto flags = std::make_shared<Flags>();
  command->add_option("--config", flags->config,
                      "measure the network of a built-in configuration or a JSON file");
  command->add_option("--model", flags->model,
                      "or this: model.safetensors, model.pt or its folder");
  command->add_option("--batch", flags->batch,
                      "images an update (default: the configuration's of distillation; 64)");
  command->add_option("--precision", flags->precision, words_of<PrecisionChoice>())
      ->capture_default_str();
  command->add_option("--runs", flags->runs, "timed repetitions of each")->capture_default_str();
  command
      ->add_option("--only", flags->only,
                   "some of train,distill,sample, with commas between (default: all)")
      ->delimiter(',')
      ->allow_extra_args(false);
  command->add_option("--json", flags->json_file, "write the results here, too");
  flags->compute.add_to(*command);
  command->callback([&action, flags] { action = [flags] { return run(*flags); }; });
}

}  // namespace halfstep::cli
