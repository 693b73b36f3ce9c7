// What a run leaves on disk, NNNNN-<data>-<what>/ under --outdir:
//
//   options.json           every setting, resolved
//   log.txt                what people were told, with the time
//   stats.jsonl            one JSON object a line, every log_every updates
//   teacher.safetensors    distillation: the teacher, copied in
//   init.safetensors       training that began with --init: that model, copied in
//   model.safetensors      training: the model
//   converted/             distillation with a student_output: model.safetensors, what is halved
//   stage-NNNN/            distillation: model.safetensors for each N that is done
//   state/slot-0, slot-1   what resume needs, written in turn, each with its manifest last
//
// All writes are atomic: a killed run leaves a readable one. See docs/formats.md.
#ifndef HALFSTEP_TRAIN_RUN_DIRECTORY_H_
#define HALFSTEP_TRAIN_RUN_DIRECTORY_H_

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "halfstep/train/optimizer.h"
#include "halfstep/train/options.h"

namespace halfstep {

// Where a run stands. All that a resumed run needs beside the options and the models of finished
// stages.
struct Progress {
  int64_t stage = 0;          // index into the run's stages
  int64_t update = 0;         // updates of this stage that are done
  int64_t total_updates = 0;  // of the whole run; the number that random draws are keyed with
  int64_t skipped = 0;        // updates of the whole run that were not finite
  double loss_sum = 0.0;      // since the last line of stats.jsonl
  int64_t loss_count = 0;
  double seconds = 0.0;      // spent in updates by the whole run
  uint64_t stats_bytes = 0;  // length of stats.jsonl
};

struct SavedState {
  Progress progress;
  OptimizerState optimizer;
  nlohmann::json fingerprint;
};

class RunDirectory {
 public:
  // Makes the next free number under `outdir` (made if need be), with options.json in it.
  static RunDirectory create(const std::filesystem::path& outdir, const RunOptions& options);

  // An existing run. Throws IoError or FormatError where it is none.
  explicit RunDirectory(std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path teacher_path() const { return path_ / "teacher.safetensors"; }
  std::filesystem::path init_path() const { return path_ / "init.safetensors"; }
  // The folder of a stage's model and samples: stage-0016 for N = 16, converted for a conversion,
  // the run itself for training.
  std::filesystem::path stage_folder(const Stage& stage) const;

  RunOptions options() const;
  void write_options(const RunOptions& options) const;

  void log(std::string_view message) const;
  // Appends a line to stats.jsonl; returns its new length in bytes.
  uint64_t append_stats(const nlohmann::json& line) const;
  void truncate_stats(uint64_t bytes) const;

  void save_state(const SavedState& state) const;
  // The newest state that is whole; none where nothing was saved yet. Throws FormatError where
  // states exist but none is whole.
  std::optional<SavedState> load_state() const;

 private:
  std::filesystem::path path_;
};

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_RUN_DIRECTORY_H_
