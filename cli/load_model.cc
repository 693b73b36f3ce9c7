#include "cli/load_model.h"

#include <cstdio>
#include <string>

#include "halfstep/convert/convert.h"
#include "halfstep/core/error.h"
#include "halfstep/model/model_file.h"

namespace halfstep::cli {
namespace {

namespace fs = std::filesystem;

bool is_diffusers(const fs::path& path) {
  return !model_file_at(path) && format_of_model(path) == ModelFormat::diffusers;
}

Model import(const fs::path& path) {
  const ImportedModel imported = import_model(path);
  for (const std::string& note : imported.notes)
    std::fprintf(stderr, "%s: %s\n", path.c_str(), one_line(note).c_str());
  return imported.model;
}

}  // namespace

bool is_model(const fs::path& path) { return model_file_at(path) || is_diffusers(path); }

Model load_model(const fs::path& path, const LoadOptions& options) {
  if (!is_diffusers(path)) return Model::load(path, options);
  const Model model = import(path);
  return model.on(options.device, resolve(options.precision, model.spec().network, options.device));
}

SourceModel load_source(const fs::path& path, const std::optional<fs::path>& spec) {
  return is_diffusers(path) && !spec ? SourceModel(import(path)) : SourceModel::load(path, spec);
}

}  // namespace halfstep::cli
