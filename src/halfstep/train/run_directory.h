// What a run leaves on disk, NNNNN-<data>-<what>/ under --outdir:
//
//   options.json           every setting, resolved
//   log.txt                what people were told, with the time
//   stats.jsonl            one JSON object a line, every log_every updates
//   teacher.safetensors    distillation: the teacher, copied in (teacher.pt, TorchScript)
//   init.safetensors       begun with --init: that model, copied in (init.pt, TorchScript)
//   model.safetensors      training: the model
//   converted/             distillation with a student_output: model.safetensors, what is halved
//   stage-NNNN/            distillation: model.safetensors, or model.pt, for each N that is done
//   state/slot-0, slot-1   what resume needs, written in turn, each with its manifest last
//
// A run that is killed or whose machine loses power leaves a readable one: docs/reliability.md,
// docs/formats.md.
#ifndef HALFSTEP_TRAIN_RUN_DIRECTORY_H_
#define HALFSTEP_TRAIN_RUN_DIRECTORY_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "halfstep/train/options.h"
#include "halfstep/train/saved_state.h"

namespace halfstep {

class RunDirectory {
 public:
  // Makes the next free number under `outdir` (made if need be). `put_models` is given the paths of
  // teacher and init, and puts there what the run begins with, if anything. options.json comes
  // last: with it the folder is a run.
  using PutModels =
      std::function<void(const std::filesystem::path& teacher, const std::filesystem::path& init)>;
  static RunDirectory create(const std::filesystem::path& outdir, const RunOptions& options,
                             const PutModels& put_models = {});

  // The newest run there with the same options, if any: the one that a command which is started
  // again had made.
  static std::optional<RunDirectory> find(const std::filesystem::path& outdir,
                                          const RunOptions& options);

  // An existing run. Throws IoError or FormatError where it is none.
  explicit RunDirectory(std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }
  // .safetensors or .pt, as options.json says.
  std::filesystem::path teacher_path() const;
  std::filesystem::path init_path() const;
  // The folder of a stage's model and samples: stage-0016 for N = 16, converted for a conversion,
  // the run itself for training.
  std::filesystem::path stage_folder(const Stage& stage) const;

  RunOptions options() const;
  void write_options(const RunOptions& options) const;

  // A log that cannot be written is no reason to lose a run.
  void log(std::string_view message) const;
  // Appends a line to stats.jsonl; returns its new length in bytes.
  uint64_t append_stats(const nlohmann::json& line) const;
  void truncate_stats(uint64_t bytes) const;

  StateSlots states() const { return {path_ / "state", path_ / "stats.jsonl"}; }
  // The newest state that is whole, see load_state(StateSlots&).
  std::optional<SavedState> load_state() const;

 private:
  std::filesystem::path path_;
};

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_RUN_DIRECTORY_H_
