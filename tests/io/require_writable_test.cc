#include "halfstep/io/require_writable.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "halfstep/io/file.h"
#include "tests/io/hostile.h"
#include "tests/io/temporary_folder.h"

namespace halfstep::io {
namespace {

namespace fs = std::filesystem;

size_t entries_of(const fs::path& folder) {
  return static_cast<size_t>(
      std::distance(fs::recursive_directory_iterator(folder), fs::recursive_directory_iterator()));
}

TEST(RequireWritableFile, AcceptsWhatAtomicFileWrites) {
  const TemporaryFolder folder;
  write_file(folder / "old", "old contents");
  fs::create_symlink("old", folder / "link");
  fs::create_symlink("gone", folder / "broken");
  const std::string longest(NAME_MAX - 40, 'x');
  const size_t before = entries_of(folder.path());
  for (const fs::path& path : {folder / "new", folder / "old", folder / "link", folder / "broken",
                               folder / longest, fs::path("/dev/null")}) {
    require_writable_file(path);
    EXPECT_NO_THROW(AtomicFile{path}) << path;
  }
  EXPECT_EQ(entries_of(folder.path()), before);
  EXPECT_EQ(read_file(folder / "old"), "old contents");
}

TEST(RequireWritableFile, RefusesWhatAtomicFileCannotWrite) {
  const TemporaryFolder folder;
  write_file(folder / "file", "");
  const std::string too_long(NAME_MAX + 1, 'x');
  const struct {
    fs::path path;
    const char* reason;
  } cases[] = {
      {"", "Is a directory"},
      {folder.path(), "Is a directory"},
      {folder / "", "Is a directory"},
      {folder / "none/a", "No such file"},
      {folder / "file/a", "Not a directory"},
      {folder / too_long, "File name too long"},
      {folder / std::string(NAME_MAX, 'x'), "File name too long"},
  };  // no room for ".tmp"
  for (const auto& [path, reason] : cases) {
    expect_error<IoError>([&] { require_writable_file(path); }, reason);
    EXPECT_THROW(AtomicFile{path}, IoError) << path;
  }
}

TEST(RequireWritableFolder, AcceptsAFolderThatCanBeMade) {
  const TemporaryFolder folder;
  require_writable_folder(folder.path());
  require_writable_folder(folder / "");
  require_writable_folder(folder / "a/b/c");
  EXPECT_TRUE(fs::is_empty(folder.path()));
  write_file(folder / "file", "");
  expect_error<IoError>([&] { require_writable_folder(folder / "file"); }, "Not a directory");
  expect_error<IoError>([&] { require_writable_folder(folder / "file/a"); }, "Not a directory");
  expect_error<IoError>([] { require_writable_folder(""); }, "No such file");
  expect_error<IoError>([&] { require_writable_folder(folder / std::string(NAME_MAX + 1, 'x')); },
                        "too long");
}

}  // namespace
}  // namespace halfstep::io
