// halfstep bench: measures how fast this machine trains, distils and samples, and which share of
// its convolution peak that is.
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cli/bench_report.h"
#include "cli/command.h"
#include "cli/help.h"
#include "cli/load_model.h"
#include "cli/measure.h"
#include "cli/model_path.h"
#include "cli/outputs.h"
#include "cli/values.h"
#include "halfstep/core/error.h"
#include "halfstep/io/json.h"
#include "halfstep/train/options.h"

namespace halfstep::cli {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMostRuns = 100'000;
constexpr int64_t kModelBatch = 64;  // images per update with --model

struct Flags {
  std::optional<std::string> config;
  std::optional<fs::path> model;
  std::optional<int64_t> batch;
  std::string precision = "auto";
  int64_t runs = 5;
  std::vector<std::string> only = {"train", "distill", "match", "sample"};
  std::optional<fs::path> json_file;
  ComputeFlags compute;
};

// Returns a model of the configuration with fresh weights, for the images that its network section
// describes.
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
    throw ConfigError("bench", std::string("expected either --config or --model, received ") +
                                   (flags.config ? "both" : "neither"));
  }
  Subject subject = flags.config ? subject_of(config_of(*flags.config), options)
                                 : Subject{.name = flags.model->string(),
                                           .model = load_model(model_path(*flags.model), options),
                                           .distill = {.batch = kModelBatch}};
  if (flags.batch) subject.distill.batch = *flags.batch;
  subject.train.batch = subject.distill.batch;
  validate(subject.train);
  validate(subject.distill);
  return subject;
}

int run(const Flags& flags) {
  const at::Device device = flags.compute.apply();
  std::set<Operation> wanted;
  for (const std::string& word : flags.only) wanted.insert(enum_of<Operation>(word, "--only"));
  if (flags.runs < 1 || flags.runs > kMostRuns) {
    throw ConfigError("--runs", "expected 1 to " + std::to_string(kMostRuns) + ", received " +
                                    std::to_string(flags.runs));
  }
  const auto choice = enum_of<PrecisionChoice>(flags.precision, "--precision");
  require_outputs({{"--json", flags.json_file}});
  const Subject subject = subject_of(flags, {.device = device, .precision = choice});
  const BenchReport report = measure(subject, wanted, flags.runs);
  print(report);
  if (flags.json_file) io::write_json(*flags.json_file, to_json(report));
  return kDone;
}

}  // namespace

void add_bench(CLI::App& program, Action& action) {
  CLI::App* command =
      program.add_subcommand("bench", "Measure the speed of training, distillation and sampling");
  command->footer(
      "Examples:\n"
      "  halfstep bench --config cifar10-small --json bench.json\n"
      "  halfstep bench --model models/fashion-teacher --only sample --precision fp32\n\n"
      "Either --config or --model is required. No data set is needed: the images are noise.");
  auto flags = std::make_shared<Flags>();
  command->option_defaults()->group(kModelGroup);
  offer(add_value(*command, "--config", flags->config, config_help())->type_name("NAME|FILE"),
        names_of_configs());
  add_value(*command, "--model", flags->model, kModelHelp)->type_name("MODEL");
  command->option_defaults()->group(kMeasurementGroup);
  offer(add_value(*command, "--only", flags->only, "What to measure: " + words_of<Operation>())
            ->delimiter(',')
            ->allow_extra_args(false)
            ->type_name("NAME,...")
            ->default_str("train,distill,match,sample"),
        names_of<Operation>());
  add_value(*command, "--runs", flags->runs, "Timed repetitions of each measurement");
  add_value(*command, "--batch", flags->batch,
            "Images per update (default: the distillation batch size of --config, or 64 "
            "with --model)");
  command->option_defaults()->group(kOutputGroup);
  add_value(*command, "--json", flags->json_file, "Also write the results to this file")
      ->type_name("FILE");
  command->option_defaults()->group(kComputeGroup);
  offer(add_value(*command, "--precision", flags->precision,
                  kPrecisionHelp + words_of<PrecisionChoice>())
            ->type_name("NAME"),
        names_of<PrecisionChoice>());
  flags->compute.add_to(*command);
  command->callback([&action, flags] { action = [flags] { return run(*flags); }; });
}

}  // namespace halfstep::cli
