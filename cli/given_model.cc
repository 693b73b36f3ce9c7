#include "cli/given_model.h"

#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/io/file.h"
#include "halfstep/io/json.h"
#include "halfstep/model/model_file.h"
#include "halfstep/model/spec_json.h"

namespace halfstep::cli {

namespace fs = std::filesystem;

void GivenModel::copy_to(const fs::path& path) const {
  if (says_its_spec) {
    io::write_file(path, io::read_bytes(file));
  } else {
    model.save(path);
  }
}

GivenModel given_model(const fs::path& path, const std::optional<fs::path>& spec) {
  fs::path file = model_file_at(path).value_or(path);
  if (!spec)
    return {.model = Model::load(file, {.precision = PrecisionChoice::fp32}),
            .file = std::move(file)};
  if (file.extension() != ".pt") {
    throw ConfigError("--teacher-spec",
                      "expected a TorchScript file (.pt) as --teacher, received " + path.string());
  }
  return {
      .model = load_torchscript_model(file, spec_from_json(io::read_json(*spec), spec->string())),
      .file = std::move(file),
      .says_its_spec = false};
}

}  // namespace halfstep::cli
