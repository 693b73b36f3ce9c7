#include "halfstep/train/newest_model.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <system_error>

#include "halfstep/core/error.h"
#include "halfstep/model/model_file.h"

namespace halfstep {
namespace {

namespace fs = std::filesystem;

// Returns N of "snapshot-N"; nullopt for other names.
std::optional<int64_t> update_of(const std::string& name) {
  if (!name.starts_with(RunDirectory::kSnapshot)) return std::nullopt;
  const std::string_view digits = std::string_view(name).substr(RunDirectory::kSnapshot.size());
  int64_t update = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, update);
  if (error != std::errc() || stop != end || update < 1) return std::nullopt;
  return update;
}

// Returns the update that a finished stage's model was saved after. A training that was given more
// updates continues from there.
int64_t updates_of(const fs::path& model) { return load_spec(model).origin.updates; }

}  // namespace

std::vector<Snapshot> snapshots_of(const RunDirectory& directory, const Stage& stage) {
  std::vector<Snapshot> snapshots;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory.stage_folder(stage), error)) {
    const std::optional<int64_t> update = update_of(entry.path().filename().string());
    if (update && model_file_at(entry.path()))
      snapshots.push_back({.update = *update, .folder = entry.path()});
  }
  std::ranges::sort(snapshots, {}, &Snapshot::update);
  return snapshots;
}

NewestModel newest_model(const RunDirectory& directory) {
  const std::vector<Stage> stages = directory.options().stages();
  for (auto stage = stages.rbegin(); stage != stages.rend(); ++stage) {
    const std::optional<fs::path> model = model_file_at(directory.stage_folder(*stage));
    const std::vector<Snapshot> snapshots = snapshots_of(directory, *stage);
    if (!snapshots.empty() && (!model || snapshots.back().update > updates_of(*model))) {
      const Snapshot& last = snapshots.back();
      return {.file = model_file_at(last.folder).value(),
              .description = "the snapshot at update " + std::to_string(last.update) + " of " +
                             std::to_string(stage->updates) + " of stage " + stage->name};
    }
    if (model) {
      const bool is_last = stage == stages.rbegin();
      return {.file = *model, .description = is_last ? "" : "the model of stage " + stage->name};
    }
  }
  throw ConfigError(directory.path().string(),
                    "expected a run that has made a model, received one that has finished no stage "
                    "and has no snapshots; resume it, or start it with --snapshot-every");
}

}  // namespace halfstep
