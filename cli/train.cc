// halfstep train, distill and resume: one loop, three ways into it.
#include <ATen/Parallel.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "cli/command.h"
#include "cli/field_flags.h"
#include "cli/progress.h"
#include "cli/work_ahead.h"
#include "halfstep/core/error.h"
#include "halfstep/data/open_dataset.h"
#include "halfstep/io/hash.h"
#include "halfstep/model/model_file.h"
#include "halfstep/report/stage_grid.h"
#include "halfstep/report/tensorboard.h"
#include "halfstep/train/run.h"
#include "halfstep/train/run_lock.h"

namespace halfstep::cli {
namespace {

namespace fs = std::filesystem;

// The flags that train and distill share.
struct RunFlags {
  std::optional<std::string> config;
  fs::path data;
  fs::path outdir = "runs";
  std::optional<int64_t> image_size;
  bool dry_run = false;
  ComputeFlags compute;

  void add_to(CLI::App& command) {
    command.add_option("--data", data, kDataHelp)->required();
    command.add_option("--outdir", outdir, "folder of runs; the run makes its own inside")
        ->capture_default_str();
    command.add_option("--image-size", image_size,
                       "crop and resize images to this many pixels a side");
    command.add_flag("--dry-run", dry_run,
                     "print the resolved options and the work ahead, then stop");
    compute.add_to(command);
  }

  std::shared_ptr<const data::Dataset> open_data() const {
    return data::open_dataset(data, {.image_size = image_size});
  }
};

int go_on(const RunDirectory& directory, std::shared_ptr<const data::Dataset> dataset,
          const at::Device& device) {
  ProgressLine progress;
  StageGrid grid(device);
  TensorBoardEvents events(directory.path());
  Observers observers({&progress, &grid, &events});
  const Outcome outcome =
      execute(directory, std::move(dataset), device, observers, stop_on_interrupt());
  if (outcome == Outcome::interrupted) {
    std::fprintf(stderr, "go on with: halfstep resume %s\n", directory.path().c_str());
    return kInterrupted;
  }
  std::printf("%s\n", directory.stage_folder(directory.options().stages().back())
                          .append("model.safetensors")
                          .c_str());
  return kDone;
}

// Resolves what is left open, then prints the plan or makes the run folder and starts. `model` is
// what the run begins with, if anything: the teacher, or what is trained on.
int start(RunOptions options, const RunFlags& flags, std::shared_ptr<const data::Dataset> dataset,
          const at::Device& device, const std::optional<fs::path>& model) {
  options.data = fs::absolute(flags.data);
  options.image_size = flags.image_size;
  options.threads = at::get_num_threads();
  validate(options);
  if (flags.dry_run) {
    std::printf("%s", describe_work(options, dataset->info(), device).c_str());
    return kDone;
  }
  const RunDirectory directory = RunDirectory::create(flags.outdir, options, model);
  std::fprintf(stderr, "run %s\n", directory.path().c_str());
  return go_on(directory, std::move(dataset), device);
}

fs::path model_file(const fs::path& path) {
  return fs::is_directory(path) ? path / "model.safetensors" : path;
}

}  // namespace

void add_train(CLI::App& program, Action& action) {
  struct Flags : RunFlags {
    std::optional<fs::path> init;
    std::optional<FieldFlags<UpdateOptions>> update;
    std::optional<FieldFlags<TrainOptions>> train;
  };
  CLI::App* command = program.add_subcommand("train", "train a teacher from data");
  auto flags = std::make_shared<Flags>();
  command
      ->add_option("--config", flags->config,
                   "a built-in configuration or a JSON file; what is not a flag is from it")
      ->required();
  command->add_option("--init", flags->init,
                      "start from the weights of this model of the same network");
  flags->add_to(*command);
  flags->train.emplace(*command, TrainOptions{});
  flags->update.emplace(*command, UpdateOptions{});
  command->callback([&action, flags] {
    action = [flags] {
      const at::Device device = flags->compute.apply();
      Config config = config_of(*flags->config);
      flags->update->apply(config.train_update);
      flags->train->apply(config.train);
      const auto dataset = flags->open_data();
      RunOptions options = plan_training(config, *dataset);
      if (flags->init) {
        flags->init = model_file(*flags->init);
        start_from(options, load_model(*flags->init).spec, io::sha256_hex_of_file(*flags->init));
      }
      return start(std::move(options), *flags, dataset, device, flags->init);
    };
  });
}

void add_distill(CLI::App& program, Action& action) {
  struct Flags : RunFlags {
    fs::path teacher;
    std::optional<FieldFlags<UpdateOptions>> update;
    std::optional<FieldFlags<Halving>> halving;
  };
  CLI::App* command =
      program.add_subcommand("distill", "halve a model's sampling steps again and again");
  auto flags = std::make_shared<Flags>();
  command
      ->add_option("--teacher", flags->teacher,
                   "the model to distil: model.safetensors or its folder")
      ->required();
  command->add_option("--config", flags->config,
                      "take the distillation settings of this configuration");
  flags->add_to(*command);
  flags->halving.emplace(*command, Halving{});
  flags->update.emplace(*command, Config{}.distill_update);
  command->callback([&action, flags] {
    action = [flags] {
      const at::Device device = flags->compute.apply();
      Config config = flags->config ? config_of(*flags->config) : Config{};
      flags->update->apply(config.distill_update);
      const fs::path teacher_file = model_file(flags->teacher);
      const ModelSpec teacher =
          load_model(teacher_file).spec;  // all of it, so that a broken file is found now
      if (teacher.num_steps > 0) config.halving.start_steps = teacher.num_steps;
      flags->halving->apply(config.halving);
      const auto dataset = flags->open_data();
      return start(
          plan_distillation(config, teacher, io::sha256_hex_of_file(teacher_file), *dataset),
          *flags, dataset, device, teacher_file);
    };
  });
}

void add_resume(CLI::App& program, Action& action) {
  struct Flags {
    fs::path run;
    std::optional<int64_t> updates;
    std::optional<fs::path> data;
    ComputeFlags compute;
  };
  CLI::App* command =
      program.add_subcommand("resume", "go on with a train or distill run, exactly");
  auto flags = std::make_shared<Flags>();
  command->add_option("run", flags->run, "the run's folder")->required();
  command->add_option("--updates", flags->updates,
                      "end after this many updates (training at a constant rate)");
  command->add_option("--data", flags->data, "where the data set is now, if it moved");
  flags->compute.add_to(*command);
  command->callback([&action, flags] {
    action = [flags] {
      const RunDirectory directory(flags->run);
      const RunOptions options = directory.options();
      if (flags->updates) {
        const RunLock lock(directory.path());
        const std::optional<SavedState> saved = directory.load_state();
        const int64_t done = saved ? saved->progress.update : 0;
        directory.write_options(with_updates(options, *flags->updates, done));
      }
      if (!flags->compute.threads) flags->compute.threads = options.threads;
      const at::Device device = flags->compute.apply();
      return go_on(directory,
                   data::open_dataset(flags->data.value_or(options.data),
                                      {.image_size = options.image_size}),
                   device);
    };
  });
}

}  // namespace halfstep::cli
