#include "halfstep/train/run.h"

#include <chrono>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/train/fingerprint.h"
#include "halfstep/train/journal.h"
#include "halfstep/train/plan.h"
#include "halfstep/train/run_begin.h"
#include "halfstep/train/run_storage.h"
#include "halfstep/train/sharing.h"
#include "halfstep/train/snapshots.h"
#include "halfstep/train/stage_end.h"
#include "halfstep/train/stage_quality.h"
#include "halfstep/train/stage_start.h"
#include "halfstep/train/stage_training.h"
#include "halfstep/train/training_error.h"
#include "halfstep/train/uploading_loader.h"

namespace halfstep {
namespace {

using Clock = std::chrono::steady_clock;

class Run {
 public:
  // `directory` is null in ranks other than 0.
  Run(parallel::ProcessGroup& group, const RunDirectory* directory, const RunOptions& options,
      std::shared_ptr<const data::Dataset> dataset, const at::Device& device,
      TrainObserver& observer, const StopToken& stop, std::optional<RunLock> lock,
      Evaluator* evaluator, NetworkFactory factory)
      : group_(group),
        directory_(directory),
        options_(options),
        stages_(options_.stages()),
        dataset_(std::move(dataset)),
        device_(device),
        observer_(observer),
        stop_(stop),
        journal_(directory_, options_, stages_, observer),
        quality_(group, options_, evaluator, dataset_, device, journal_),
        fingerprint_(fingerprint(*dataset_, device)),
        storage_(directory_, options_, std::move(lock), std::move(factory)) {
    require_evaluator(options_, evaluator);
    fingerprint_["processes"] = group.size();
  }

  Outcome execute() {
    std::optional<SavedState> saved = storage_.load_state();
    storage_.require_models();
    require_data(options_, *dataset_);
    require_same_everywhere(group_, options_, fingerprint_);
    if (saved) continue_from(*saved);
    storage_.truncate_stats(progress_);
    broadcast(group_, progress_);
    if (directory_) {
      report_begin(*directory_, options_, stages_, progress_.total_updates, dataset_, device_,
                   storage_.factory(), journal_, observer_);
    }
    while (progress_.stage < num_stages()) {
      begin_stage(std::exchange(saved, std::nullopt));
      if (run_stage() == Outcome::interrupted) return Outcome::interrupted;
      finish_stage();
    }
    storage_.finish();
    return Outcome::finished;
  }

 private:
  int64_t num_stages() const { return static_cast<int64_t>(stages_.size()); }
  const Stage& stage() const { return stages_[static_cast<size_t>(progress_.stage)]; }
  TrainedNetwork student() const { return training_->method().trained().front(); }

  void continue_from(const SavedState& saved) {
    progress_ = saved.progress;
    storage_.require_progress(progress_);
    journal_.write_resumed(saved, fingerprint_);
  }

  void begin_stage(const std::optional<SavedState>& saved) {
    training_.reset();
    training_ = start_stage(group_, storage_, options_, stage(), progress_.stage, device_);
    if (progress_.update == 0) progress_.begin_stage();
    quality_.begin_stage(stage(), progress_, saved ? saved->best : Tensor());
    last_finite_ = progress_;
    journal_.begin_stage();
    const std::vector<TrainedNetwork> networks = training_->method().trained();
    if (saved && progress_.update > 0) storage_.restore(*saved, networks);
    storage_.require_space(networks, models_to_come(options_, stages_, progress_));
    for (const TrainedNetwork& trained : networks) broadcast(group_, *trained.optimizer);
    training_->reduce_over(group_);
  }

  // Whatever ends the stage early, an interruption, another process or an error, the state after
  // the last update is saved first.
  Outcome run_stage() {
    try {
      if (make_updates() == Outcome::interrupted) return Outcome::interrupted;
      diverged_ = directory_ && save_stage();
      return Outcome::finished;
    } catch (const parallel::PeerError&) {
      save_after_error("another process ended or was lost");
      throw;
    } catch (const std::exception& error) {
      save_after_error(error.what());
      throw;
    }
  }

  // Keeps the error that ends the run: if the state cannot be saved either, those before it are
  // intact.
  void save_after_error(const std::string& error) {
    if (!directory_ || progress_.total_updates == 0) return;
    if (!training_->has_made(progress_.update)) return;  // an update failed half-way
    directory_->log(one_line(error));
    try {
      save();
      storage_.finish();
      journal_.write("stopped after update " + std::to_string(progress_.total_updates) +
                     "; the state is saved, and halfstep resume continues from it");
    } catch (const std::exception& another) {
      directory_->log(one_line(another.what()));
    }
  }

  Outcome make_updates() {
    if (quality_.is_pending(stage(), progress_)) {  // the session before ended during it
      const auto line = conclude_update(training_->lr(progress_.update - 1), progress_);
      if (line) observer_.on_stats(*line);
    }
    UploadingLoader loader(make_loader(group_, options_, dataset_, progress_.total_updates),
                           device_);
    while (progress_.update < stage().updates) {
      if (parallel::any(group_, stop_.stop_requested())) {
        save();
        storage_.finish();
        journal_.write("interrupted at update " + std::to_string(progress_.total_updates) +
                       "; the state is saved");
        return Outcome::interrupted;
      }
      make_update(loader);
    }
    return Outcome::finished;
  }

  void make_update(UploadingLoader& loader) {
    const auto begin = Clock::now();
    const double lr = training_->lr(progress_.update);
    const UpdateReport report = training_->method().update(loader.next(), lr);
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    Progress next = progress_;
    ++next.update;
    ++next.total_updates;
    next.skipped += report.skipped ? 1 : 0;
    next.seconds += seconds;
    journal_.count(report, seconds, next);
    journal_.announce(report, lr, progress_, conclude_update(lr, std::move(next)));
    if (report.skipped) {
      require_few_skipped();
    } else {
      last_finite_ = progress_;
      if (save_is_due()) save();
    }
    if (directory_ && snapshot_is_due(options_, stage(), progress_.update))
      save_snapshot(storage_, options_, stage(), progress_, student(), device_, observer_);
  }

  // Evaluates the student if due, moves the run to `next`, and returns the line of statistics.
  std::optional<StatsLine> conclude_update(double lr, Progress next) {
    std::optional<Quality> quality;
    try {
      quality = quality_.evaluate(stage(), student(), next);
    } catch (...) {
      progress_ = std::move(next);  // the update is made; resume makes its evaluation
      throw;
    }
    std::optional<StatsLine> line = journal_.line(lr, quality, next);
    progress_ = std::move(next);
    return line;
  }

  bool save_is_due() {
    const bool busy = storage_.busy();
    const CheckpointEvery& every = options_.update.checkpoint_every;
    return progress_.update < stage().updates && (every.unit == 0 || !busy) &&
           every.due(progress_.update, Clock::now() - saved_at_);
  }

  void require_few_skipped() {
    if (progress_.total_updates == last_finite_.total_updates + 1) {
      journal_.write("update " + std::to_string(progress_.total_updates) +
                     " was not finite and was skipped");
    }
    const int64_t in_a_row = progress_.total_updates - last_finite_.total_updates;
    if (in_a_row < kMaxSkipped) return;
    // Skipped updates change nothing but the counts: this is the state before them.
    progress_ = last_finite_;
    save(in_a_row);
    storage_.finish();
    const std::string message =
        std::to_string(kMaxSkipped) + " updates in a row were not finite after update " +
        std::to_string(progress_.total_updates) + "; the state before them is saved";
    if (directory_) directory_->log(message);
    throw TrainingError(TrainingError::Reason::not_finite,
                        message + "; try a lower --lr or --precision fp32");
  }

  void finish_stage() {
    const std::string name = stage().name;
    // The state of a finished run stays in its last stage: `resume --updates` continues from there.
    const bool last = progress_.stage + 1 == num_stages();
    if (last) save();
    ++progress_.stage;
    if (!last) {
      storage_.record_model_of(stages_[static_cast<size_t>(progress_.stage) - 1]);
      progress_.update = 0;
      save();
    }
    if (options_.distill.on_divergence != OnDivergence::stop || !parallel::any(group_, diverged_))
      return;
    storage_.finish();
    throw TrainingError(TrainingError::Reason::diverged,
                        "stage " + name + " diverged (see above); its model and state are saved" +
                            (last ? "" : "; halfstep resume continues from them anyway"));
  }

  // Returns whether the stage diverged.
  bool save_stage() {
    const std::filesystem::path file =
        storage_.save_model_of(stage(), student(), quality_.kept(student()));
    const Model model = load_for_stage(file, options_, stage(), device_, storage_.factory());
    const bool diverged = stage_diverged(storage_, options_, stages_, stage(), *training_, model,
                                         *dataset_, journal_);
    observer_.on_stage_end(file.parent_path(), model);
    journal_.write("stage " + stage().name + " finished after " + std::to_string(stage().updates) +
                   " updates" + quality_.kept_update(progress_) + ": " + file.string());
    return diverged;
  }

  // `undone`: updates that the optimizers have counted and `progress_` no longer counts.
  void save(int64_t undone = 0) {
    saved_at_ = Clock::now();
    if (!directory_) return;
    storage_.save({.progress = progress_,
                   .networks = training_->states(undone),
                   .fingerprint = fingerprint_,
                   .best = progress_.quality.best_update > 0 ? quality_.best() : Tensor()});
  }

  parallel::ProcessGroup& group_;
  const RunDirectory* const directory_;  // null in ranks other than 0
  const RunOptions options_;
  const std::vector<Stage> stages_;
  const std::shared_ptr<const data::Dataset> dataset_;
  const at::Device device_;
  TrainObserver& observer_;
  const StopToken stop_;
  Journal journal_;
  StageQuality quality_;
  nlohmann::json fingerprint_;
  RunStorage storage_;

  Progress progress_;
  Progress last_finite_;  // after the last update that was not skipped
  std::unique_ptr<StageTraining> training_;
  bool diverged_ = false;  // the stage that was finished last
  Clock::time_point saved_at_ = Clock::now();
};

}  // namespace

Outcome execute(parallel::ProcessGroup& group, const RunDirectory& directory,
                std::shared_ptr<const data::Dataset> dataset, const at::Device& device,
                TrainObserver& observer, const StopToken& stop, std::optional<RunLock> lock,
                Evaluator* evaluator, NetworkFactory factory) {
  return Run(group, &directory, directory.options(), std::move(dataset), device, observer, stop,
             std::move(lock), evaluator, std::move(factory))
      .execute();
}

Outcome take_part(parallel::ProcessGroup& group, const RunOptions& options,
                  std::shared_ptr<const data::Dataset> dataset, const at::Device& device,
                  const StopToken& stop, Evaluator* evaluator, NetworkFactory factory) {
  TrainObserver nobody;
  return Run(group, nullptr, options, std::move(dataset), device, nobody, stop, {}, evaluator,
             std::move(factory))
      .execute();
}

}  // namespace halfstep
