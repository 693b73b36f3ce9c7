#include "halfstep/train/source_model.h"

#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <span>
#include <system_error>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/io/file.h"
#include "halfstep/io/hash.h"
#include "halfstep/io/json.h"
#include "halfstep/model/model_file.h"
#include "halfstep/model/other_torch_file.h"
#include "halfstep/model/spec_json.h"

namespace halfstep {
namespace {

namespace fs = std::filesystem;

fs::path temporary_file(const ModelSpec& spec) {
  static std::atomic<int> count = 0;
  return fs::temp_directory_path() /
         model_file_name(spec.network,
                         "halfstep-" + std::to_string(::getpid()) + "-" + std::to_string(count++));
}

}  // namespace

SourceModel::SourceModel(Model model, fs::path file, std::optional<std::string> contents)
    : model_(std::move(model)), file_(std::move(file)), contents_(std::move(contents)) {}

SourceModel::SourceModel(Model model)
    : model_(std::move(model)),
      file_(temporary_file(model_.spec())),
      temporary_(nullptr, [file = file_](void*) {
        std::error_code ignored;
        fs::remove(file, ignored);
      }) {
  model_.save(file_);
}

SourceModel SourceModel::load(const fs::path& path, const std::optional<fs::path>& teacher_spec) {
  fs::path file = model_file_at(path).value_or(path);
  if (!teacher_spec) return {Model::load(file), file, std::nullopt};
  require_no_other_torch_file(file, "a TorchScript file (.pt)");
  if (file.extension() != ".pt") {
    throw ConfigError("distill",
                      "teacher_spec: expected a TorchScript file (.pt) as the teacher, "
                      "received " +
                          path.string());
  }
  Model model = load_torchscript_model(
      file, spec_from_json(io::read_json(*teacher_spec), teacher_spec->string()));
  std::string contents = torchscript_contents(model);
  return {std::move(model), file, std::move(contents)};
}

std::string SourceModel::sha256() const {
  return contents_ ? io::sha256_hex(std::as_bytes(std::span(*contents_)))
                   : io::sha256_hex_of_file(file_);
}

void SourceModel::copy_to(const fs::path& path) const {
  if (contents_) {
    io::write_file(path, *contents_);
  } else {
    io::write_file(path, io::read_bytes(file_));
  }
}

}  // namespace halfstep
