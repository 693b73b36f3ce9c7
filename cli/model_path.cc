#include "cli/model_path.h"

#include <algorithm>
#include <cstdio>

#include "halfstep/core/error.h"
#include "halfstep/model/model_file.h"
#include "halfstep/train/newest_model.h"

namespace halfstep::cli {
namespace {

namespace fs = std::filesystem;

// Throws ConfigError if the path is a folder without a model that holds runs, such as "runs".
void require_no_parent_of_runs(const fs::path& path) {
  std::error_code error;
  if (model_file_at(path) || !fs::is_directory(path, error)) return;
  fs::path last;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    if (fs::exists(it->path() / "options.json", error)) last = std::max(last, it->path());
  }
  if (last.empty()) return;
  throw ConfigError(
      path.string(),
      "expected a model or a run, received a folder of runs, such as " + last.string());
}

}  // namespace

std::filesystem::path model_path(const std::filesystem::path& path, bool says) {
  std::error_code error;
  if (!std::filesystem::exists(path / "options.json", error)) {
    require_no_parent_of_runs(path);
    return path;
  }
  const NewestModel newest = newest_model(RunDirectory(path));
  if (says && !newest.description.empty()) {
    std::fprintf(stderr, "halfstep: the run has not finished; using %s: %s\n",
                 newest.description.c_str(), one_line(newest.file.string()).c_str());
  }
  return newest.file;
}

}  // namespace halfstep::cli
