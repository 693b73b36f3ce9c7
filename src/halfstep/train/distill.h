// Training, distillation and resuming, one call each.
//
//   const Model teacher = Model::load("models/fashion-teacher");
//   const TrainingData data = open_training_data("/usr/share/datasets/fashion-mnist");
//   const RunResult run = distill(teacher, data, {.start_steps = 32, .end_steps = 4});
//   const Model student = run.model();
//
// train() and distill() make a folder under `outdir` that holds the options, models, statistics and
// saved states of the run (docs/formats.md). resume() continues from there after any interruption
// and ends with the same bits.
//
// The calls block until the run ends or is stopped. Make one at a time: they set LibTorch's number
// of threads. All of them throw
//   ConfigError          if settings, data set and model do not fit together, or if processes that
//                        share a run differ in their options, versions or data;
//   IoError              if a file cannot be read or written, or the disk is too small for the run;
//   FormatError          if a file is damaged;
//   TrainingError        with the state saved, if too many updates in a row were not finite, or if
//                        a stage diverged and on_divergence is stop;
//   parallel::PeerError  with the state saved on rank 0, if another process ended or was lost.
#ifndef HALFSTEP_TRAIN_DISTILL_H_
#define HALFSTEP_TRAIN_DISTILL_H_

#include <c10/core/Device.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "halfstep/core/stop_token.h"
#include "halfstep/data/dataset.h"
#include "halfstep/model/model.h"
#include "halfstep/parallel/process_group.h"
#include "halfstep/train/config.h"
#include "halfstep/train/evaluator.h"
#include "halfstep/train/observer.h"
#include "halfstep/train/options.h"
#include "halfstep/train/outcome.h"
#include "halfstep/train/source_model.h"
#include "halfstep/train/training_error.h"

namespace halfstep {

// A data set, and what a run records of it so that it can be opened again.
struct TrainingData {
  std::shared_ptr<const data::Dataset> dataset;
  std::filesystem::path path;         // empty for a data set in memory: resume() must be given it
  std::optional<int64_t> image_size;  // images are cropped and resized to it; none: as they are
  bool skip_broken = false;           // broken images are left out
};

// Opens any data set that data/open_dataset.h knows, and looks at all images of it. Throws as
// open_dataset does.
TrainingData open_training_data(const std::filesystem::path& path,
                                std::optional<int64_t> image_size = std::nullopt,
                                bool skip_broken = false);

// Where and how a run computes. The pointers must stay valid during the call.
struct RunSettings {
  std::filesystem::path outdir = "runs";  // the run makes a folder of its own inside
  c10::Device device = c10::kCPU;
  std::optional<int64_t> threads;     // on the CPU; none: LibTorch's present number
  TrainObserver* observer = nullptr;  // called by rank 0
  // With update.evaluate_every, in every rank: metrics::RunEvaluator. Must be null otherwise.
  Evaluator* evaluator = nullptr;
  StopToken stop;
  // Makes the external networks of a run that is resumed. A run that begins copies those of its
  // teacher, which every rank must have.
  NetworkFactory factory = {};
  // The processes that share the run (parallel/c10d_group.h); null: this one alone. Unless it
  // throws, the call leaves the group, which is then used up.
  parallel::ProcessGroup* group = nullptr;
  // The command line that makes the run, which its report shows. Not used by resume().
  std::string command;
  // The launcher has started the processes again: continue the newest run with the same options.
  bool restarted = false;
};

struct RunResult {
  Outcome outcome = Outcome::finished;
  std::filesystem::path folder;      // of the run; empty in ranks other than 0
  std::filesystem::path model_file;  // of the last stage; empty unless finished, on rank 0

  // Loads the model of the last stage. Call it only if model_file is not empty.
  Model model() const { return Model::load(model_file); }
};

// Trains the configuration's model from data, from fresh weights or those of `init`.
RunResult train(const Config& config, const TrainingData& data, const RunSettings& settings = {},
                std::optional<SourceModel> init = std::nullopt);

// Returns the settings that distill() uses where no others are given.
UpdateOptions default_distill_update();

// Distils the teacher to options.end_steps sampling steps. `init` is the student that a direct
// distillation starts from; by default students start as copies of their teachers.
RunResult distill(SourceModel teacher, const TrainingData& data, const DistillOptions& options,
                  const UpdateOptions& update = default_distill_update(),
                  const RunSettings& settings = {}, std::optional<SourceModel> init = std::nullopt);

struct ResumeOptions {
  // Ends the run after this many updates; only for training at a constant learning rate.
  std::optional<int64_t> updates = std::nullopt;
  // Where the data set is now; none: where it was.
  std::optional<std::filesystem::path> data = std::nullopt;
  // The data set itself; null: it is opened.
  std::shared_ptr<const data::Dataset> dataset = nullptr;
};

// Continues a run from its last saved state; it ends with the weights that it would have had
// without the interruption. Of the settings, outdir, command and restarted are not used.
RunResult resume(const std::filesystem::path& run, const ResumeOptions& options = {},
                 const RunSettings& settings = {});

// Resolve the options of a run without starting it. Throw ConfigError as the run would.
RunOptions plan_run(const Config& config, const TrainingData& data,
                    const std::optional<SourceModel>& init = std::nullopt);
RunOptions plan_run(const SourceModel& teacher, const TrainingData& data,
                    const DistillOptions& options, const UpdateOptions& update,
                    const std::optional<SourceModel>& init = std::nullopt);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_DISTILL_H_
