// A model that a run starts from: its teacher, or the weights that it continues from.
#ifndef HALFSTEP_TRAIN_SOURCE_MODEL_H_
#define HALFSTEP_TRAIN_SOURCE_MODEL_H_

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "halfstep/model/model.h"

namespace halfstep {

// A run copies the model's file into its folder and records its hash. A model in memory is written
// to a temporary file for that, which is removed with the last copy of this object.
class SourceModel {
 public:
  // Loads a model file or its folder; the whole file is read, so that a broken one is found before
  // the run begins. `teacher_spec`: a JSON file with the ModelSpec of a TorchScript file that does
  // not say it itself. Throws as Model::load, and ConfigError if a spec is given for another kind
  // of file.
  static SourceModel load(const std::filesystem::path& path,
                          const std::optional<std::filesystem::path>& teacher_spec = std::nullopt);

  // NOLINTNEXTLINE(google-explicit-constructor): any model can be a teacher
  SourceModel(Model model);

  const Model& model() const { return model_; }

  // Returns the SHA-256 of the file that copy_to() writes.
  std::string sha256() const;

  // Copies the file, with the spec where the file itself does not say it.
  void copy_to(const std::filesystem::path& path) const;

 private:
  SourceModel(Model model, std::filesystem::path file, std::optional<std::string> contents);

  Model model_;
  std::filesystem::path file_;
  // The file with its spec, where the file itself does not say it.
  std::optional<std::string> contents_;
  std::shared_ptr<void> temporary_;  // removes the file
};

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_SOURCE_MODEL_H_
