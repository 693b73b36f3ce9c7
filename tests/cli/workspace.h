// A folder with a tiny data set, a tiny configuration and a teacher, and commands that use them.
#ifndef HALFSTEP_TESTS_CLI_WORKSPACE_H_
#define HALFSTEP_TESTS_CLI_WORKSPACE_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "tests/cli/program.h"
#include "tests/io/temporary_folder.h"

namespace halfstep::cli {

namespace fs = std::filesystem;

class Workspace {
 public:
  static constexpr int64_t kImages = 64;
  static constexpr int64_t kSide = 4;  // pixels
  static constexpr int64_t kClasses = 3;

  Workspace();

  fs::path operator/(const std::string& name) const { return folder_ / name; }
  const fs::path& path() const { return folder_.path(); }
  fs::path data() const { return folder_ / "dots.npy"; }
  fs::path config() const { return folder_ / "tiny.json"; }
  // A model trained with that configuration, once for all tests of a build of the program.
  static const fs::path& teacher();

  // Trains into a run under `outdir`: 12 updates, with a saved state every 4.
  Arguments train(const fs::path& outdir, const Arguments& more = {}) const;
  // Distils 8 -> 4 -> 2 steps, with 6 updates per stage and a saved state every 4.
  Arguments distill(const fs::path& outdir, const Arguments& more = {}) const;
  // Samples seeds 0-7 of the teacher with 4 steps into `npz`.
  static Arguments sample(const fs::path& npz, const Arguments& more = {});
  static Arguments resume(const fs::path& run, const Arguments& more = {});

 private:
  io::TemporaryFolder folder_;
};

Arguments operator+(Arguments left, const Arguments& right);

// Writes pseudorandom images, uint8 [images, side, side, 1], and beside them the labels i mod
// classes unless classes is 0.
void write_images(const fs::path& path, int64_t images, int64_t side, int64_t classes);

// Returns the only run under `outdir`.
fs::path only_run(const fs::path& outdir);

// Succeeds if two model files have the same names, shapes and bits.
testing::AssertionResult same_weights(const fs::path& left, const fs::path& right);

std::string text_of(const fs::path& path);
void write_text(const fs::path& path, std::string_view text);
// Replaces the first `from` in a file, which must contain it.
void replace_in(const fs::path& path, const std::string& from, const std::string& to);

}  // namespace halfstep::cli

#endif  // HALFSTEP_TESTS_CLI_WORKSPACE_H_
