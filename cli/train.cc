// halfstep train and distill.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "cli/budget.h"
#include "cli/command.h"
#include "cli/execute_run.h"
#include "cli/field_flags.h"
#include "cli/help.h"
#include "cli/load_model.h"
#include "cli/model_path.h"
#include "cli/outputs.h"
#include "cli/values.h"
#include "cli/work_ahead.h"
#include "halfstep/train/distill.h"
#include "halfstep/train/forecast.h"
#include "halfstep/train/recipe.h"
#include "halfstep/train/sharing.h"
#include "halfstep/train/stage_quality.h"

namespace halfstep::cli {
namespace {

namespace fs = std::filesystem;

// The flags that train and distill share.
struct RunFlags {
  std::optional<std::string> config;
  std::optional<fs::path> init;
  std::optional<fs::path> features;
  fs::path data;
  fs::path outdir = "runs";
  std::optional<int64_t> image_size;
  bool skip_broken = false;
  bool dry_run = false;
  BudgetFlag budget;
  ProcessFlags process;

  void add_to(CLI::App& command) {
    command.option_defaults()->group(kDataGroup);
    add_value(command, "--data", data, kDataHelp)->required()->type_name("DATA");
    add_value(command, "--image-size", image_size, kImageSizeHelp);
    command.add_flag("--skip-broken", skip_broken, kSkipBrokenHelp);
    add_features(command, features);
    command.option_defaults()->group(kOutputGroup);
    add_value(command, "--outdir", outdir,
              "Parent folder of runs; each run creates its own folder in it")
        ->type_name("FOLDER");
    command.add_flag(
        "--dry-run", dry_run,
        "Print the resolved options and the memory, disk, computation and time needed, then stop");
    budget.add_to(command);
    process.add_to(command);
  }

  void require_outdir() const { require_outputs({{"--outdir", outdir, /*is_folder=*/true}}); }
  TrainingData open_data() const { return open_training_data(data, image_size, skip_broken); }
  std::optional<SourceModel> load_init() const {
    return init ? std::optional(load_source(model_path(*init))) : std::nullopt;
  }
};

int print_plan(parallel::ProcessGroup& group, RunOptions options, const Evaluator* evaluator,
               const Network& network, const TrainingData& data, const c10::Device& device) {
  record_features(options, evaluator);
  require_same_options(group, options);
  if (group.is_rank_zero()) {
    const Forecast needs = forecast(options, network, *data.dataset, device, group.size());
    std::printf("%s", describe_work(options, data.dataset->info(), needs).c_str());
  }
  group.leave();
  return kDone;
}

constexpr const char* kDefaultConfig = "small";

struct TrainFlags : RunFlags {
  CLI::Option* conditional = nullptr;
  std::optional<std::string> condition;
  std::optional<FieldFlags<UpdateOptions>> update;
  std::optional<FieldFlags<TrainOptions>> train;
};

// Says on stderr which network a preset became, and that --conditional would use the classes.
void describe_network(const Config& config, const data::DatasetInfo& data) {
  if (!config.fit_levels || !data.holds_images() || data.height != data.width) return;
  if (config.conditional && data.num_classes < 2) return;  // which is an error
  const auto unet = std::get<UNetOptions>(network_for(config, data.height));
  std::string levels;
  int64_t size = data.height;
  for (const int64_t mult : unet.ch_mult) {
    levels += (levels.empty() ? "" : ", ") + std::to_string(mult * unet.ch) + " at " +
              std::to_string(size);
    size /= 2;
  }
  const std::string classes = config.conditional ? std::to_string(data.num_classes) + " classes"
                                                 : std::string("no classes");
  std::fprintf(stderr, "network: configuration %s, channels %s pixels, %s\n", config.name.c_str(),
               levels.c_str(), classes.c_str());
  if (!config.conditional && data.num_classes > 1) {
    std::fprintf(stderr, "the data set has %lld classes: --conditional trains the model on them\n",
                 static_cast<long long>(data.num_classes));
  }
}

int run_train(const TrainFlags& flags) {
  c10::Device device = flags.process.compute.apply();
  const std::unique_ptr<parallel::ProcessGroup> group = join_processes(device);
  if (group->is_rank_zero() && !flags.dry_run) flags.require_outdir();
  Config config = config_of(flags.config.value_or(kDefaultConfig));
  if (flags.conditional->count() > 0) config.conditional = flags.conditional->as<bool>();
  if (flags.condition)
    config.model.condition = text_value<ImageCondition>(*flags.condition, "--condition");
  flags.update->apply(config.train_update);
  flags.train->apply(config.train);
  const TrainingData data = flags.open_data();
  if (group->is_rank_zero()) describe_network(config, data.dataset->info());
  std::optional<SourceModel> init = flags.load_init();
  const std::unique_ptr<Evaluator> evaluator = load_evaluator(flags.features);
  if (flags.dry_run || flags.budget) {
    const RunOptions options = plan_run(config, data, init);
    const std::unique_ptr<Network> network = make_network(options.model);
    network->initialize(options.update.seed);
    if (flags.budget)
      scale_updates(config.train,
                    flags.budget.factor(*group, options, *network, *data.dataset, device));
    if (flags.dry_run)
      return print_plan(*group, plan_run(config, data, init), evaluator.get(), *network, data,
                        device);
  }
  return execute_run(
      flags.process, device, *group, flags.outdir, evaluator.get(),
      [&](const RunSettings& settings) { return train(config, data, settings, std::move(init)); });
}

struct DistillFlags : RunFlags {
  fs::path teacher;
  std::optional<fs::path> teacher_spec;
  std::optional<FieldFlags<UpdateOptions>> update;
  std::optional<FieldFlags<DistillOptions>> distill;
};

int run_distill(const DistillFlags& flags) {
  c10::Device device = flags.process.compute.apply();
  const std::unique_ptr<parallel::ProcessGroup> group = join_processes(device);
  if (group->is_rank_zero() && !flags.dry_run) flags.require_outdir();
  Config config = config_of(flags.config.value_or(kDefaultConfig));
  flags.update->apply(config.distill_update);
  SourceModel teacher = load_source(model_path(flags.teacher), flags.teacher_spec);
  const ModelSpec& spec = teacher.model().spec();
  if (spec.sampling.is_distilled()) config.distill.start_steps = spec.sampling.num_steps;
  flags.distill->apply(config.distill);
  const TrainingData data = flags.open_data();
  std::optional<SourceModel> init = flags.load_init();
  const bool chooses = !config.distill.method;
  config.distill = choose_method(config.distill, spec, init.has_value());
  const std::unique_ptr<Evaluator> evaluator = load_evaluator(flags.features);
  const auto plan = [&] {
    return plan_run(teacher, data, config.distill, config.distill_update, init);
  };
  if (chooses && group->is_rank_zero()) {
    std::fprintf(stderr, "method (--method sets another): %s\n", describe(plan().stages()).c_str());
  }
  if (flags.budget) {
    scale_updates(config.distill, flags.budget.factor(*group, plan(), teacher.model().network(),
                                                      *data.dataset, device));
  }
  if (flags.dry_run) {
    return print_plan(*group, plan(), evaluator.get(), teacher.model().network(), data, device);
  }
  return execute_run(flags.process, device, *group, flags.outdir, evaluator.get(),
                     [&](const RunSettings& settings) {
                       return distill(std::move(teacher), data, config.distill,
                                      config.distill_update, settings, std::move(init));
                     });
}

}  // namespace

void add_train(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand("train", "Train a teacher from data");
  command->footer(
      "Examples:\n"
      "  halfstep train --data photos --image-size 64 --conditional\n"
      "  halfstep train --config fashion --data /usr/share/datasets/fashion-mnist\n\n"
      "The configurations small, base and large suit any images: the number of levels follows\n"
      "from the image size. The defaults above are those of small; another one replaces them.");
  auto flags = std::make_shared<TrainFlags>();
  command->option_defaults()->group(kModelGroup);
  offer(
      add_value(*command, "--config", flags->config, config_help() + "; flags override its values")
          ->default_str(kDefaultConfig)
          ->type_name("NAME|FILE"),
      names_of_configs());
  flags->conditional = command->add_flag("--conditional,!--no-conditional")
                           ->description(
                               "Train the model on the classes of the data set "
                               "(default: as the configuration says)");
  add_value(*command, "--condition", flags->condition,
            "Train the model to restore images: super-resolution:4 (from 1/4 of the width and "
            "height), inpainting (missing boxes and strokes) or colour (from grey) (default: as "
            "the configuration says, none)")
      ->type_name(ImageCondition::kTypeName);
  add_value(*command, "--init", flags->init,
            "Start from the weights of this model, which must have the same network, but may lack "
            "the --condition and have classes that are not used")
      ->type_name("MODEL");
  flags->add_to(*command);
  const Config defaults = config_of(kDefaultConfig);
  flags->train.emplace(*command, defaults.train);
  flags->update.emplace(*command, defaults.train_update);
  command->callback([&action, flags] { action = [flags] { return run_train(*flags); }; });
}

void add_distill(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand("distill", "Distil a model to fewer sampling steps");
  command->footer(
      "Examples:\n"
      "  halfstep distill --config fashion --teacher models/fashion-teacher \\\n"
      "    --data /usr/share/datasets/fashion-mnist --start-steps 32 --end-steps 4\n"
      "  halfstep distill --teacher models/fashion-teacher --init models/fashion-4-steps \\\n"
      "    --end-steps 4 --data /usr/share/datasets/fashion-mnist\n\n"
      "The defaults above are those of the configuration small; another one replaces them.");
  auto flags = std::make_shared<DistillFlags>();
  command->option_defaults()->group(kModelGroup);
  add_value(*command, "--teacher", flags->teacher,
            std::string("Model to distil: ") + kModelHelp +
                " (TorchScript files contain code: load only those that you trust)")
      ->required()
      ->type_name("MODEL");
  add_value(*command, "--teacher-spec", flags->teacher_spec,
            "JSON file with the schedule, prediction type and shape of a TorchScript teacher "
            "whose file does not contain them")
      ->type_name("FILE");
  add_value(
      *command, "--init", flags->init,
      "Start from this existing student instead of a copy of the teacher, by moment matching or "
      "--method direct")
      ->type_name("MODEL");
  offer(add_value(*command, "--config", flags->config,
                  config_help() + "; only its distillation settings are used")
            ->default_str(kDefaultConfig)
            ->type_name("NAME|FILE"),
        names_of_configs());
  flags->add_to(*command);
  const Config defaults = config_of(kDefaultConfig);
  flags->distill.emplace(*command, defaults.distill);
  flags->update.emplace(*command, defaults.distill_update);
  command->callback([&action, flags] { action = [flags] { return run_distill(*flags); }; });
}

}  // namespace halfstep::cli
