// The folder of a run, NNNNN-<data>-<kind>/ under --outdir:
//
//   options.json           every setting, resolved
//   log.txt                the messages of the run, with the time
//   command.txt            the command line that made the run
//   stats.jsonl            one JSON object per line, every log_every updates
//   teacher.safetensors    distillation: a copy of the teacher (TorchScript: teacher.pt)
//   init.safetensors       with --init: a copy of that model (TorchScript: init.pt)
//   model.safetensors      training: the model
//   converted/             distillation with student_output: model.safetensors, the first teacher
//   stage-NNNN/            distillation: model.safetensors or model.pt of each finished student
//   snapshot-NNNNNNNN/     with snapshot_every, in the folder of a stage's model: the model (EMA)
//                          after this many updates of the stage
//   state/slot-0, slot-1   the saved states, written in turn, each with its manifest last
//
// The folder stays readable if the run is killed or the machine loses power: docs/reliability.md,
// docs/formats.md.
#ifndef HALFSTEP_TRAIN_RUN_DIRECTORY_H_
#define HALFSTEP_TRAIN_RUN_DIRECTORY_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "halfstep/train/options.h"
#include "halfstep/train/saved_state.h"

namespace halfstep {

class RunDirectory {
 public:
  // Makes a folder with the next free number under `outdir`, which is made if it does not exist.
  // `put_models` receives the paths of teacher and init and copies the models there that the run
  // starts from, if any. options.json is written last: only with it the folder is a run.
  using PutModels =
      std::function<void(const std::filesystem::path& teacher, const std::filesystem::path& init)>;
  static RunDirectory create(const std::filesystem::path& outdir, const RunOptions& options,
                             const PutModels& put_models = {});

  // Returns the newest run in `outdir` with the same options; none if there is none. A command that
  // is started again finds the run that it made before.
  static std::optional<RunDirectory> find(const std::filesystem::path& outdir,
                                          const RunOptions& options);

  // Opens an existing run. Throws IoError if `path` is not a run's folder.
  explicit RunDirectory(std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }
  // Their extension, .safetensors or .pt, depends on the network in options.json.
  std::filesystem::path teacher_path() const;
  std::filesystem::path init_path() const;
  // Returns the folder of a stage's model and sample grid: stage-0016 for 16 steps, converted for a
  // conversion, the run's folder for training.
  std::filesystem::path stage_folder(const Stage& stage) const;

  // Returns the folder of a stage's snapshot after `update` updates: snapshot-00001000.
  static constexpr std::string_view kSnapshot = "snapshot-";
  std::filesystem::path snapshot_folder(const Stage& stage, int64_t update) const;

  // Records the command line that made the run, as the user may type it again.
  void write_command(std::string_view command) const;
  // Returns that command line; empty if none was recorded.
  std::string command() const;

  // Throws FormatError if options.json does not hold valid options, or if its checksum is not that
  // of its contents.
  RunOptions options() const;
  void write_options(const RunOptions& options) const;
  // Removes the folder if the run has saved neither a state nor statistics. Ignores failures.
  void remove_if_unused() const;

  // Appends a line to log.txt. Errors are ignored: a run must not end because of its log.
  void log(std::string_view message) const;
  // Appends a line to stats.jsonl; returns its new length in bytes.
  uint64_t append_stats(const nlohmann::json& line) const;
  // Cuts stats.jsonl to `bytes`, or to its whole lines if it is shorter. Returns its length, 0 if
  // there is no file.
  uint64_t truncate_stats(uint64_t bytes) const;

  StateSlots states() const { return {path_ / "state", path_ / "stats.jsonl"}; }
  // Loads the newest whole state, as load_state(StateSlots&).
  std::optional<SavedState> load_state() const;

 private:
  std::filesystem::path path_;
};

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_RUN_DIRECTORY_H_
