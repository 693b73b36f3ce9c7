// What a run begins with: the teacher, or what is trained on.
#ifndef HALFSTEP_CLI_GIVEN_MODEL_H_
#define HALFSTEP_CLI_GIVEN_MODEL_H_

#include <filesystem>
#include <optional>

#include "halfstep/model/model.h"

namespace halfstep::cli {

struct GivenModel {
  Model model;
  std::filesystem::path file;
  bool says_its_spec = true;

  void copy_to(const std::filesystem::path& path) const;
};

// All of it is read, so that a broken file is found before the run is there. `spec`: a JSON file
// that says what model a TorchScript file is which does not.
GivenModel given_model(const std::filesystem::path& path,
                       const std::optional<std::filesystem::path>& spec = std::nullopt);

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_GIVEN_MODEL_H_
