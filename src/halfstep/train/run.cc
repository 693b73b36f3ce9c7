#include "halfstep/train/run.h"

#include <chrono>
#include <string>
#include <utility>

#include "halfstep/checkpoint/run_lock.h"
#include "halfstep/checkpoint/state_writer.h"
#include "halfstep/core/error.h"
#include "halfstep/data/loader.h"
#include "halfstep/diffusion/target.h"
#include "halfstep/io/disk.h"
#include "halfstep/model/model_file.h"
#include "halfstep/parallel/gradient_reducer.h"
#include "halfstep/train/divergence.h"
#include "halfstep/train/fingerprint.h"
#include "halfstep/train/journal.h"
#include "halfstep/train/learning_rate.h"
#include "halfstep/train/sharing.h"
#include "halfstep/train/update.h"

namespace halfstep {
namespace {

using Clock = std::chrono::steady_clock;

class Run {
 public:
  Run(ProcessGroup& group, const RunDirectory* directory, const RunOptions& options,
      std::shared_ptr<const data::Dataset> dataset, const at::Device& device,
      TrainObserver& observer, const std::atomic<bool>& stop)
      : group_(group),
        directory_(directory),
        options_(options),
        stages_(options_.stages()),
        dataset_(std::move(dataset)),
        device_(device),
        observer_(observer),
        stop_(stop),
        journal_(directory_, options_, stages_, observer),
        fingerprint_(fingerprint(*dataset_, device)) {
    fingerprint_["processes"] = group.size();
  }

  Outcome execute() {
    std::optional<RunLock> lock;
    std::optional<SavedState> saved;
    if (directory_) {
      lock.emplace(directory_->path());
      StateSlots slots = directory_->states();
      saved = load_state(slots);
      writer_.emplace(std::move(slots));
    }
    require_data(options_, *dataset_);
    require_same_everywhere(group_, options_, fingerprint_);
    if (saved) {
      progress_ = saved->progress;
      check_progress();
      if (!saved->damage.empty())
        journal_.tell("the newest state is damaged, going on from the one before: " +
                      saved->damage);
      const std::string changed = differences(saved->fingerprint, fingerprint_);
      journal_.tell("resumed at update " + std::to_string(progress_.total_updates) +
                    (changed.empty() ? "" : ", not bit-exact: " + changed));
    }
    if (directory_) directory_->truncate_stats(progress_.stats_bytes);
    share(group_, progress_);
    observer_.on_begin(progress_.total_updates);
    if (progress_.total_updates == 0 && options_.kind == RunKind::distill &&
        options_.model.output == Output::eps) {
      journal_.tell(
          "the students predict eps, which tells little of x near noise: few steps will look bad; "
          "--student-output v converts the teacher first");
    }
    while (progress_.stage < static_cast<int64_t>(stages_.size())) {
      begin_stage();
      if (saved && progress_.update > 0) optimizer_->restore(saved->optimizer);
      saved.reset();
      if (directory_) require_space();
      share(group_, *optimizer_);
      if (group_.size() > 1) {
        reducer_ = std::make_unique<GradientReducer>(group_, *student_, optimizer_->gradient());
      }
      if (run_stage() == Outcome::interrupted) return Outcome::interrupted;
      finish_stage();
    }
    finish_writing();
    return Outcome::finished;
  }

 private:
  const Stage& stage() const { return stages_[static_cast<size_t>(progress_.stage)]; }

  void check_progress() const {
    const bool known =
        progress_.stage >= 0 && progress_.stage < static_cast<int64_t>(stages_.size());
    if (known && progress_.update >= 0 && progress_.update <= stage().updates &&
        progress_.total_updates >= progress_.update) {
      return;
    }
    throw FormatError(directory_->path().string(),
                      "state: expected an update of this run's stages, found update " +
                          std::to_string(progress_.update) + " of stage " +
                          std::to_string(progress_.stage));
  }

  // The root's, from their files, so that a resumed run begins alike: the run's teacher or the
  // student of the stage before; --init; what a training starts from, which is --init or fresh
  // weights, functions of the seed.
  std::unique_ptr<Network> load_teacher() const {
    const auto before = static_cast<size_t>(progress_.stage) - 1;
    return load_network(progress_.stage == 0 ? directory_->teacher_path()
                                             : directory_->stage_folder(stages_[before]));
  }

  std::unique_ptr<Network> load_init() const { return load_network(directory_->init_path()); }

  std::unique_ptr<Network> begin_training() const {
    auto network = make_network(options_.model);
    network->initialize(options_.update.seed);
    if (options_.init_sha256) copy_parameters(*load_init(), *network);
    return network;
  }

  // What the root loads, in every process, as this stage computes with it.
  std::unique_ptr<Network> shared(std::unique_ptr<Network> (Run::*load)() const) const {
    std::unique_ptr<Network> network =
        share(group_, directory_ ? (this->*load)() : nullptr, options_.model);
    compute_as_stage(*network);
    return network;
  }

  void compute_as_stage(Network& network) const {
    network.to(device_);
    network.set_precision(
        resolve(options_.update.precision, options_.model.network, device_, stage().num_steps));
  }

  UpdatePlan update_plan() const {
    return plan_update(options_.model, options_.update, stage().num_steps, stage().substeps);
  }

  // Before the updates of a stage, so that a run of days is not begun to end on a full disk: a
  // state for each slot that has none, one more beside them while it is written, and the models to
  // come.
  void require_space() const {
    const OptimizerState& state = optimizer_->state();
    const uint64_t model = state.parameters.nbytes();
    const uint64_t bytes = (state.ema.defined() ? 4 : 3) * model;
    const auto states = static_cast<uint64_t>(1 + directory_->states().unused());
    const uint64_t models = stages_.size() - static_cast<uint64_t>(progress_.stage);
    io::require_space(directory_->path(), states * bytes + models * model,
                      "the states and models of this run");
  }

  // The optimizer starts afresh. A student starts as a copy of its teacher, or as --init.
  void begin_stage() {
    reducer_.reset();
    optimizer_.reset();
    std::unique_ptr<Network> first =
        shared(options_.kind == RunKind::train ? &Run::begin_training : &Run::load_teacher);
    if (stage().num_steps == 0) {
      student_ = std::move(first);
      target_ = std::make_unique<DataTarget>();
    } else {
      teacher_ = std::move(first);
      student_ = options_.init_sha256 ? shared(&Run::load_init) : teacher_->clone();
      target_ = std::make_unique<TeacherTarget>(make_denoiser(*teacher_, options_.model.output));
    }
    student_->set_activation_checkpointing(options_.update.activation_checkpointing);
    optimizer_ = std::make_unique<Optimizer>(*student_, optimizer_options(options_.update));
    if (progress_.update == 0) progress_.losses = {};
    last_finite_ = progress_;
    journal_.begin_stage();
  }

  Outcome run_stage() {
    try {
      return make_updates();
    } catch (const PeerError&) {
      save();
      finish_writing();
      journal_.tell("another process ended or was lost after update " +
                    std::to_string(progress_.total_updates) + ", state saved");
      throw;
    }
  }

  Outcome make_updates() {
    const UpdateOptions& options = options_.update;
    const UpdatePlan plan = update_plan();
    const Share share = share_of(group_, options.batch);
    data::Loader loader(dataset_, {.seed = options.seed,
                                   .batch_size = options.batch,
                                   .first = share.first,
                                   .count = share.count,
                                   .random_flip = options.random_flip,
                                   .first_update = static_cast<uint64_t>(progress_.total_updates),
                                   .num_threads = static_cast<int>(options.workers)});
    while (progress_.update < stage().updates) {
      if (any(group_, stop_)) {
        save();
        finish_writing();
        journal_.tell("interrupted at update " + std::to_string(progress_.total_updates) +
                      ", state saved");
        return Outcome::interrupted;
      }
      const auto begin = Clock::now();
      const double lr = learning_rate(options.lr, progress_.update, options.warmup,
                                      options.anneal ? stage().updates : 0);
      const UpdateReport report =
          update(*student_, *target_, *optimizer_, loader.next(), plan, lr, reducer_.get());
      ++progress_.update;
      ++progress_.total_updates;
      const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
      progress_.seconds += seconds;
      if (report.skipped) count_skipped();
      journal_.record(report, lr, seconds, progress_);
      if (!report.skipped) last_finite_ = progress_;
      const bool busy = writer_ && writer_->busy();  // throws what went wrong in the write before
      const CheckpointEvery& every = options.checkpoint_every;
      if (!report.skipped && progress_.update < stage().updates && (every.unit == 0 || !busy) &&
          every.due(progress_.update, Clock::now() - saved_at_))
        save();
    }
    return Outcome::finished;
  }

  void count_skipped() {
    ++progress_.skipped;
    if (progress_.total_updates == last_finite_.total_updates + 1) {
      journal_.tell("update " + std::to_string(progress_.total_updates) +
                    " was not finite: skipped");
    }
    const int64_t in_a_row = progress_.total_updates - last_finite_.total_updates;
    if (in_a_row < kMaxSkipped) return;
    // skipped updates change nothing but the counts: this is the state before them
    progress_ = last_finite_;
    save(in_a_row);
    finish_writing();
    const std::string message =
        std::to_string(kMaxSkipped) + " updates in a row were not finite after update " +
        std::to_string(progress_.total_updates) + "; the state before them is saved";
    if (directory_) directory_->log(message);
    throw Error("run", message + "; try a lower learning rate or precision fp32");
  }

  void finish_stage() {
    const bool diverged = directory_ && save_stage();
    const std::string name = stage_name();
    // what a later `resume --updates` of a training goes on from is this stage's state, so the last
    // stage is not left behind
    if (progress_.stage + 1 < static_cast<int64_t>(stages_.size())) {
      ++progress_.stage;
      progress_.update = 0;
      save();
    } else {
      save();
      ++progress_.stage;
    }
    if (options_.halving.on_divergence != OnDivergence::stop || !any(group_, diverged)) return;
    finish_writing();
    throw Error("run", name + " diverged, see above; its model and state are saved" +
                           (progress_.stage < static_cast<int64_t>(stages_.size())
                                ? "; resume goes on from it all the same"
                                : ""));
  }

  // Tells whether it diverged.
  bool save_stage() {
    const std::filesystem::path folder = directory_->stage_folder(stage());
    io::make_folder(folder);
    ModelSpec spec = options_.model;
    spec.sampling.num_steps = stage().num_steps;
    spec.sampling.sampler = Sampler::ddim;  // what a run trains for, whatever its teacher
    spec.origin.init_sha256 = options_.init_sha256.value_or("");
    spec.origin.updates = stage().updates;
    const std::filesystem::path file = folder / model_file_name(spec.network);
    save_model(file, spec, *student_, optimizer_->averaged());
    const bool diverged = has_diverged(*load_network(folder));
    const Model model =
        Model::load(folder, {.device = device_, .precision = options_.update.precision});
    observer_.on_stage_end(folder, model);
    journal_.tell(stage_name() + " done after " + std::to_string(stage().updates) +
                  " updates: " + file.string());
    return diverged;
  }

  std::string stage_name() const {
    return stage().conversion
               ? "conversion to output " + std::string(name_of(options_.model.output))
           : stage().num_steps == 0 ? "training"
                                    : "stage " + std::to_string(stage().num_steps) + " steps";
  }

  // Of a distillation's stage that has ended with this network; tells of it.
  bool has_diverged(Network& network) {
    if (stage().num_steps == 0) return false;
    compute_as_stage(network);
    int64_t unused = 0;  // updates that no stage makes
    for (const Stage& one : stages_) unused += one.updates;
    const std::unique_ptr<Network> begun = options_.init_sha256 ? load_init() : nullptr;
    if (begun) compute_as_stage(*begun);
    const StageLosses losses =
        stage_losses(*teacher_, begun ? *begun : *teacher_, network, update_plan(), *dataset_,
                     {.seed = options_.update.seed,
                      .batch_size = options_.update.batch,
                      .random_flip = options_.update.random_flip,
                      .first_update = static_cast<uint64_t>(unused)});
    if (!losses.diverged()) return false;
    journal_.tell("warning: " + stage_name() + " diverged: its student's loss is " +
                  number(losses.ended) + ", that of what it began as " + number(losses.begun) +
                  "; try a lower learning rate or more updates");
    return true;
  }

  // Begins to: the run goes on while it is written. `undone`: updates that the optimizer counted
  // and the progress takes back.
  void save(int64_t undone = 0) {
    if (!directory_) return;
    SavedState state{
        .progress = progress_, .optimizer = optimizer_->state(), .fingerprint = fingerprint_};
    state.optimizer.updates -= undone;
    store(state, writer_->image());
    writer_->write();
    saved_at_ = Clock::now();
  }

  // Waits until the state is on the disk.
  void finish_writing() {
    if (writer_) writer_->finish();
  }

  ProcessGroup& group_;
  const RunDirectory* const directory_;  // the root's; null in the others
  const RunOptions options_;
  const std::vector<Stage> stages_;
  const std::shared_ptr<const data::Dataset> dataset_;
  const at::Device device_;
  TrainObserver& observer_;
  const std::atomic<bool>& stop_;
  Journal journal_;
  nlohmann::json fingerprint_;

  Progress progress_;
  Progress last_finite_;  // before the skipped updates at hand, if any
  std::unique_ptr<Network> teacher_;
  std::unique_ptr<Network> student_;
  std::unique_ptr<Target> target_;
  std::unique_ptr<Optimizer> optimizer_;
  std::optional<StateWriter> writer_;  // the root's
  Clock::time_point saved_at_ = Clock::now();
  std::unique_ptr<GradientReducer> reducer_;  // where there are several processes
};

}  // namespace

Outcome execute(ProcessGroup& group, const RunDirectory& directory,
                std::shared_ptr<const data::Dataset> dataset, const at::Device& device,
                TrainObserver& observer, const std::atomic<bool>& stop) {
  return Run(group, &directory, directory.options(), std::move(dataset), device, observer, stop)
      .execute();
}

Outcome take_part(ProcessGroup& group, const RunOptions& options,
                  std::shared_ptr<const data::Dataset> dataset, const at::Device& device,
                  const std::atomic<bool>& stop) {
  TrainObserver silent;
  return Run(group, nullptr, options, std::move(dataset), device, silent, stop).execute();
}

}  // namespace halfstep
