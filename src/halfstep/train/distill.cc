#include "halfstep/train/distill.h"

#include <ATen/Parallel.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "halfstep/checkpoint/run_lock.h"
#include "halfstep/core/error.h"
#include "halfstep/data/open_dataset.h"
#include "halfstep/model/model_file.h"
#include "halfstep/train/checked.h"
#include "halfstep/train/plan.h"
#include "halfstep/train/recipe.h"
#include "halfstep/train/run.h"
#include "halfstep/train/run_directory.h"
#include "halfstep/train/sharing.h"
#include "halfstep/train/stage_quality.h"

namespace halfstep {
namespace {

namespace fs = std::filesystem;

// The models that a run copies into its folder.
struct Sources {
  std::optional<SourceModel> teacher;
  std::optional<SourceModel> init;
};

void set_threads(const std::optional<int64_t>& threads) {
  if (!threads) return;
  require_between(1, kMostThreads, "threads", *threads);
  at::set_num_threads(static_cast<int>(*threads));
}

// A launcher that starts its processes again, because one of them ended, gives the same command:
// the run that it had made continues (docs/decisions/019).
std::optional<RunDirectory> find_restarted(const fs::path& outdir, const RunOptions& options,
                                           bool restarted) {
  return restarted ? RunDirectory::find(outdir, options) : std::nullopt;
}

RunDirectory make(const RunSettings& settings, const RunOptions& options, const Sources& sources) {
  const auto put_models = [&](const fs::path& teacher, const fs::path& init) {
    if (sources.teacher) sources.teacher->copy_to(teacher);
    if (sources.init) sources.init->copy_to(init);
  };
  RunDirectory run = RunDirectory::create(settings.outdir, options, put_models);
  if (!settings.command.empty()) run.write_command(settings.command);
  return run;
}

RunResult execute_as_rank_zero(parallel::ProcessGroup& group, const RunDirectory& directory,
                               const TrainingData& data, const RunSettings& settings,
                               std::optional<RunLock> lock = std::nullopt) {
  TrainObserver nobody;
  TrainObserver& observer = settings.observer ? *settings.observer : nobody;
  RunResult result{.folder = directory.path()};
  result.outcome = execute(group, directory, data.dataset, settings.device, observer, settings.stop,
                           std::move(lock), settings.evaluator, settings.factory);
  group.leave();
  if (result.outcome == Outcome::interrupted) return result;
  const fs::path last = directory.stage_folder(directory.options().stages().back());
  result.model_file = model_file_at(last).value_or(last);
  return result;
}

RunResult take_part_as_other_rank(parallel::ProcessGroup& group, const RunOptions& options,
                                  const TrainingData& data, const RunSettings& settings) {
  RunResult result;
  result.outcome = take_part(group, options, data.dataset, settings.device, settings.stop,
                             settings.evaluator, settings.factory);
  group.leave();
  return result;
}

RunResult start(RunOptions options, const TrainingData& data, const RunSettings& settings,
                Sources sources) {
  parallel::SingleProcess alone;
  parallel::ProcessGroup& group = settings.group ? *settings.group : alone;
  record_features(options, settings.evaluator);
  require_same_options(group, options);
  options = broadcast_options(group, options);
  const bool restarted = parallel::any(group, settings.restarted);
  if (!group.is_rank_zero()) {
    set_threads(options.threads);
    return take_part_as_other_rank(group, options, data, settings);
  }
  const auto found = find_restarted(settings.outdir, options, restarted);
  const RunDirectory directory = found ? *found : make(settings, options, sources);
  sources = {};  // the run reads its own copies
  try {
    return execute_as_rank_zero(group, directory, data, settings);
  } catch (...) {
    if (!found) directory.remove_if_unused();
    throw;
  }
}

RunOptions resolved(RunOptions options, const TrainingData& data,
                    const std::optional<SourceModel>& init) {
  options.data = data.path.empty() ? fs::path() : fs::absolute(data.path);
  options.image_size = data.image_size;
  options.skip_broken = data.skip_broken;
  options.threads = at::get_num_threads();
  if (init) start_from(options, init->model().spec(), init->sha256());
  validate(options);
  return options;
}

// Rank 0 alone looks into the run's folder, which it has locked.
RunOptions options_to_resume(const RunDirectory& directory, std::optional<int64_t> updates) {
  const RunOptions options = directory.options();
  if (!updates) return options;
  const std::optional<SavedState> saved = directory.load_state();
  const int64_t done = saved ? saved->progress.update : 0;
  directory.write_options(with_updates(options, *updates, done));
  return directory.options();
}

}  // namespace

TrainingData open_training_data(const fs::path& path, std::optional<int64_t> image_size,
                                bool skip_broken) {
  return {
      .dataset = data::open_dataset(path, {.image_size = image_size, .skip_broken = skip_broken}),
      .path = path,
      .image_size = image_size,
      .skip_broken = skip_broken};
}

UpdateOptions default_distill_update() { return Config{}.distill_update; }

RunOptions plan_run(const Config& config, const TrainingData& data,
                    const std::optional<SourceModel>& init) {
  return resolved(plan_training(config, *data.dataset), data, init);
}

RunOptions plan_run(const SourceModel& teacher, const TrainingData& data,
                    const DistillOptions& options, const UpdateOptions& update,
                    const std::optional<SourceModel>& init) {
  const ModelSpec& spec = teacher.model().spec();
  return resolved(plan_distillation(choose_method(options, spec, init.has_value()), update, spec,
                                    teacher.sha256(), *data.dataset),
                  data, init);
}

RunResult train(const Config& config, const TrainingData& data, const RunSettings& settings,
                std::optional<SourceModel> init) {
  set_threads(settings.threads);
  RunOptions options = plan_run(config, data, init);
  return start(std::move(options), data, settings, {.init = std::move(init)});
}

RunResult distill(SourceModel teacher, const TrainingData& data, const DistillOptions& options,
                  const UpdateOptions& update, const RunSettings& settings,
                  std::optional<SourceModel> init) {
  set_threads(settings.threads);
  RunOptions planned = plan_run(teacher, data, options, update, init);
  RunSettings with_factory = settings;
  if (is_external(planned.model.network)) {
    with_factory.factory = [model = teacher.model()](const ModelSpec&) {
      return model.network().clone();
    };
  }
  return start(std::move(planned), data, with_factory,
               {.teacher = std::move(teacher), .init = std::move(init)});
}

RunResult resume(const fs::path& run, const ResumeOptions& resume, const RunSettings& settings) {
  parallel::SingleProcess alone;
  parallel::ProcessGroup& group = settings.group ? *settings.group : alone;
  std::optional<RunDirectory> directory;
  std::optional<RunLock> lock;
  if (group.is_rank_zero()) {
    directory.emplace(run);
    lock.emplace(directory->path());
  }
  const RunOptions options = broadcast_options(
      group, directory ? options_to_resume(*directory, resume.updates) : RunOptions{});
  require_same_features(options, settings.evaluator);
  if (is_external(options.model.network) && !settings.factory) {
    throw ConfigError("resume",
                      "factory: expected a function that makes the network of this run, whose code "
                      "is not in its files, received none");
  }
  set_threads(settings.threads ? settings.threads : options.threads);
  if (!resume.dataset && !resume.data && options.data.empty()) {
    throw ConfigError("resume",
                      "data: expected the data set, which this run had in memory, received none");
  }
  TrainingData data{.dataset = resume.dataset};
  if (!data.dataset)
    data = open_training_data(resume.data.value_or(options.data), options.image_size,
                              options.skip_broken);
  return directory ? execute_as_rank_zero(group, *directory, data, settings, std::move(lock))
                   : take_part_as_other_rank(group, options, data, settings);
}

}  // namespace halfstep
