// halfstep train, distill and resume: one loop, three ways into it.
#include <ATen/Parallel.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "cli/command.h"
#include "cli/field_flags.h"
#include "cli/given_model.h"
#include "cli/progress.h"
#include "cli/work_ahead.h"
#include "halfstep/checkpoint/run_lock.h"
#include "halfstep/core/error.h"
#include "halfstep/data/open_dataset.h"
#include "halfstep/io/hash.h"
#include "halfstep/model/model_file.h"
#include "halfstep/parallel/process_place.h"
#include "halfstep/report/stage_grid.h"
#include "halfstep/report/tensorboard.h"
#include "halfstep/train/run.h"
#include "halfstep/train/sharing.h"

namespace halfstep::cli {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMostGridImages = 4096;

// What concerns the process, not the run: of train, distill and resume.
struct ProcessFlags {
  int64_t grid_images = StageGrid::kImages;
  ComputeFlags compute;

  void add_to(CLI::App& command) {
    command
        .add_option("--grid-images", grid_images,
                    "images in the samples.png of each finished stage; 0: no picture")
        ->check(CLI::Range(int64_t{0}, kMostGridImages))
        ->capture_default_str();
    compute.add_to(command);
  }
};

// The flags that train and distill share.
struct RunFlags {
  std::optional<std::string> config;
  std::optional<fs::path> init;
  fs::path data;
  fs::path outdir = "runs";
  std::optional<int64_t> image_size;
  bool dry_run = false;
  ProcessFlags process;

  void add_to(CLI::App& command) {
    command.add_option("--data", data, kDataHelp)->required();
    command.add_option("--outdir", outdir, "folder of runs; the run makes its own inside")
        ->capture_default_str();
    command.add_option("--image-size", image_size,
                       "crop and resize images to this many pixels a side");
    command.add_flag("--dry-run", dry_run,
                     "print the resolved options and the work ahead, then stop");
    process.add_to(command);
  }

  std::shared_ptr<const data::Dataset> open_data() const {
    return data::open_dataset(data, {.image_size = image_size});
  }
};

// What a run begins with, if anything.
struct GivenModels {
  std::optional<GivenModel> teacher;
  std::optional<GivenModel> init;
};

int go_on(ProcessGroup& group, const RunDirectory& directory,
          std::shared_ptr<const data::Dataset> dataset, const at::Device& device,
          int64_t grid_images) {
  ProgressLine progress;
  StageGrid grid(device, grid_images);
  TensorBoardEvents events(directory.path());
  Observers observers({&progress, &grid, &events});
  const Outcome outcome =
      execute(group, directory, std::move(dataset), device, observers, stop_on_interrupt());
  group.leave();
  if (outcome == Outcome::interrupted) {
    std::fprintf(stderr, "go on with: halfstep resume %s\n", directory.path().c_str());
    return kInterrupted;
  }
  const fs::path last = directory.stage_folder(directory.options().stages().back());
  std::printf("%s\n", model_file_at(last).value_or(last).c_str());
  return kDone;
}

// What the processes do that are not the root.
int help(ProcessGroup& group, const RunOptions& options,
         std::shared_ptr<const data::Dataset> dataset, const at::Device& device) {
  const Outcome outcome =
      take_part(group, options, std::move(dataset), device, stop_on_interrupt());
  group.leave();
  return outcome == Outcome::interrupted ? kInterrupted : kDone;
}

// A launcher that starts its processes again, because one of them ended, gives the same command:
// the run that it had made goes on (docs/decisions/019).
RunDirectory make_or_find(const fs::path& outdir, const RunOptions& options,
                          const GivenModels& given, bool restarted) {
  if (restarted) {
    if (const std::optional<RunDirectory> run = RunDirectory::find(outdir, options)) return *run;
  }
  return RunDirectory::create(outdir, options, [&](const fs::path& teacher, const fs::path& init) {
    if (given.teacher) given.teacher->copy_to(teacher);
    if (given.init) given.init->copy_to(init);
  });
}

// Throws ConfigError unless every process was given the same; paths and threads are its host's.
void require_same_options(ProcessGroup& group, const RunOptions& options) {
  nlohmann::json settings = to_json(options);
  settings.erase("data");
  settings.erase("threads");
  require_same(group, settings);
}

// Resolves what is left open, then prints the plan or makes the run folder and starts.
int start(ProcessGroup& group, RunOptions options, const RunFlags& flags,
          std::shared_ptr<const data::Dataset> dataset, const at::Device& device,
          GivenModels given) {
  options.data = fs::absolute(flags.data);
  options.image_size = flags.image_size;
  options.threads = at::get_num_threads();
  validate(options);
  require_same_options(group, options);
  if (flags.dry_run) {
    const int64_t parameters = count_parameters(given.teacher ? given.teacher->model.network()
                                                              : *make_network(options.model));
    if (group.is_root())
      std::printf("%s", describe_work(options, parameters, dataset->info(), device).c_str());
    group.leave();
    return kDone;
  }
  options = shared_options(group, options);
  const bool restarted = any(group, process_place().restarts > 0);
  if (!group.is_root()) {
    given = {};
    at::set_num_threads(static_cast<int>(*options.threads));
    return help(group, options, std::move(dataset), device);
  }
  const RunDirectory directory = make_or_find(flags.outdir, options, given, restarted);
  given = {};  // the run reads its own
  std::fprintf(stderr, "run %s\n", directory.path().c_str());
  return go_on(group, directory, std::move(dataset), device, flags.process.grid_images);
}

struct ResumeFlags {
  fs::path run;
  std::optional<int64_t> updates;
  std::optional<fs::path> data;
  ProcessFlags process;
};

// The root alone looks into the run's folder.
RunOptions options_to_resume(const ResumeFlags& flags, const RunDirectory& directory) {
  const RunOptions options = directory.options();
  if (flags.updates) {
    const RunLock lock(directory.path());
    const std::optional<SavedState> saved = directory.load_state();
    const int64_t done = saved ? saved->progress.update : 0;
    directory.write_options(with_updates(options, *flags.updates, done));
  }
  return directory.options();
}

int resume(const ResumeFlags& flags) {
  at::Device device = flags.process.compute.apply();
  const std::unique_ptr<ProcessGroup> group = join_processes(device);
  std::optional<RunDirectory> directory;
  if (group->is_root()) directory.emplace(flags.run);
  const RunOptions options =
      shared_options(*group, directory ? options_to_resume(flags, *directory) : RunOptions{});
  if (!flags.process.compute.threads && options.threads)
    at::set_num_threads(static_cast<int>(*options.threads));
  auto dataset =
      data::open_dataset(flags.data.value_or(options.data), {.image_size = options.image_size});
  if (!directory) return help(*group, options, std::move(dataset), device);
  return go_on(*group, *directory, std::move(dataset), device, flags.process.grid_images);
}

GivenModel model_to_start_from(const fs::path& path, RunOptions& options) {
  GivenModel init = given_model(path);
  start_from(options, init.model.spec(), io::sha256_hex_of_file(init.file));
  return init;
}

}  // namespace

void add_train(CLI::App& program, Action& action) {
  struct Flags : RunFlags {
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
      at::Device device = flags->process.compute.apply();
      const std::unique_ptr<ProcessGroup> group = join_processes(device);
      Config config = config_of(*flags->config);
      flags->update->apply(config.train_update);
      flags->train->apply(config.train);
      const auto dataset = flags->open_data();
      RunOptions options = plan_training(config, *dataset);
      GivenModels given;
      if (flags->init) given.init = model_to_start_from(*flags->init, options);
      return start(*group, std::move(options), *flags, dataset, device, std::move(given));
    };
  });
}

void add_distill(CLI::App& program, Action& action) {
  struct Flags : RunFlags {
    fs::path teacher;
    std::optional<fs::path> teacher_spec;
    std::optional<FieldFlags<UpdateOptions>> update;
    std::optional<FieldFlags<Halving>> halving;
  };
  CLI::App* command =
      program.add_subcommand("distill", "halve a model's sampling steps again and again");
  auto flags = std::make_shared<Flags>();
  command
      ->add_option("--teacher", flags->teacher,
                   "the model to distil: model.safetensors, model.pt or its folder; TorchScript is "
                   "code, only files that you trust")
      ->required();
  command->add_option(
      "--teacher-spec", flags->teacher_spec,
      "what a TorchScript file that does not say is: a JSON file with its schedule, "
      "output and shape");
  command->add_option("--init", flags->init,
                      "start from this student of the same network, and teach it end_steps by "
                      "start_steps of the teacher at once");
  command->add_option("--config", flags->config,
                      "take the distillation settings of this configuration");
  flags->add_to(*command);
  flags->halving.emplace(*command, Halving{});
  flags->update.emplace(*command, Config{}.distill_update);
  command->callback([&action, flags] {
    action = [flags] {
      at::Device device = flags->process.compute.apply();
      const std::unique_ptr<ProcessGroup> group = join_processes(device);
      Config config = flags->config ? config_of(*flags->config) : Config{};
      flags->update->apply(config.distill_update);
      GivenModels given = {.teacher = given_model(flags->teacher, flags->teacher_spec)};
      const ModelSpec& spec = given.teacher->model.spec();
      if (spec.sampling.num_steps > 0) config.halving.start_steps = spec.sampling.num_steps;
      flags->halving->apply(config.halving);
      const auto dataset = flags->open_data();
      RunOptions options =
          plan_distillation(config, spec, io::sha256_hex_of_file(given.teacher->file), *dataset);
      if (flags->init) given.init = model_to_start_from(*flags->init, options);
      return start(*group, std::move(options), *flags, dataset, device, std::move(given));
    };
  });
}

void add_resume(CLI::App& program, Action& action) {
  CLI::App* command =
      program.add_subcommand("resume", "go on with a train or distill run, exactly");
  auto flags = std::make_shared<ResumeFlags>();
  command->add_option("run", flags->run, "the run's folder")->required();
  command->add_option("--updates", flags->updates,
                      "end after this many updates (training at a constant rate)");
  command->add_option("--data", flags->data, "where the data set is now, if it moved");
  flags->process.add_to(*command);
  command->callback([&action, flags] { action = [flags] { return resume(*flags); }; });
}

}  // namespace halfstep::cli
