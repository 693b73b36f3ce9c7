#include "cli/model_path.h"

#include <cstdio>

#include "halfstep/core/error.h"
#include "halfstep/train/newest_model.h"

namespace halfstep::cli {

std::filesystem::path model_path(const std::filesystem::path& path, bool says) {
  std::error_code error;
  if (!std::filesystem::exists(path / "options.json", error)) return path;
  const NewestModel newest = newest_model(RunDirectory(path));
  if (says && !newest.description.empty()) {
    std::fprintf(stderr, "halfstep: the run has not finished; using %s: %s\n",
                 newest.description.c_str(), one_line(newest.file.string()).c_str());
  }
  return newest.file;
}

}  // namespace halfstep::cli
