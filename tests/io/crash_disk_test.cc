// Tests that CrashDisk finds the mistakes that real programs make.
#include "tests/io/crash_disk.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <set>

#include "halfstep/io/disk.h"
#include "halfstep/io/file.h"
#include "tests/io/temporary_folder.h"

namespace halfstep::io {
namespace {

namespace fs = std::filesystem;

// Returns the possible contents of file x after a power cut at the end of `act`; "-" means no file.
std::set<std::string> found_after(const fs::path& root, const std::function<void()>& act,
                                  const std::string& name = "x") {
  CrashDisk disk(root);
  {
    const ReplacedSystemCalls replaced(disk);
    act();
  }
  std::set<std::string> found;
  disk.for_each_state(disk.size(), [&](const fs::path& folder) {
    found.insert(fs::exists(folder / name) ? read_file(folder / name) : "-");
  });
  return found;
}

using Found = std::set<std::string>;

TEST(CrashDisk, RenameBeforeFsyncMayLeaveAnEmptyFile) {
  const TemporaryFolder folder;
  write_file(folder / "x", std::string_view("old"));
  const Found found = found_after(folder.path(), [&] {
    WritableFile file(folder / "new", folder / "new", O_WRONLY | O_CREAT);
    file.write("data", 4);
    file.close();
    system_calls().rename((folder / "new").c_str(), (folder / "x").c_str());
  });
  EXPECT_TRUE(found.contains("old"));
  EXPECT_TRUE(found.contains(""));
  EXPECT_TRUE(found.contains("da"));
  EXPECT_TRUE(found.contains(std::string(4, '\0')));
  EXPECT_TRUE(found.contains("data"));
}

TEST(CrashDisk, FsyncOfAFileDoesNotSyncItsName) {
  const TemporaryFolder folder;
  const auto write = [&](const fs::path& path) {
    WritableFile file(path, path, O_WRONLY | O_CREAT);
    file.write("data", 4);
    file.sync();
  };
  EXPECT_EQ(found_after(folder.path(), [&] { write(folder / "x"); }), (Found{"-", "data"}));
  EXPECT_EQ(found_after(
                folder.path(),
                [&] {
                  write(folder / "y");
                  sync_folder(folder.path());
                },
                "y"),
            Found{"data"});
}

TEST(CrashDisk, FileInAFolderWhoseNameWasNotSyncedMayBeLost) {
  const TemporaryFolder folder;
  const Found found = found_after(
      folder.path(),
      [&] {
        system_calls().mkdir((folder / "a").c_str(), 0777);
        write_file(folder / "a/x", std::string_view("data"));
      },
      "a/x");
  EXPECT_EQ(found, (Found{"-", "data"}));
}

TEST(CrashDisk, AppendedBytesMayBeLostFromAnyPosition) {
  const TemporaryFolder folder;
  write_file(folder / "x", std::string_view("1;"));
  const Found found = found_after(folder.path(), [&] {
    AppendFile file(folder / "x");
    file.append("2;");
    file.append("3;");
  });
  EXPECT_EQ(found, (Found{"1;", "1;2;3", "1;2;3;", std::string("1;\0\0003;", 6),
                          std::string("1;\0\0\0\0", 6)}));
}

// ---- Guarantees of the writers.

TEST(PowerCut, LeavesTheOldFileOrTheNewOne) {
  const TemporaryFolder folder;
  write_file(folder / "x", std::string_view("old"));
  CrashDisk disk(folder.path());
  {
    const ReplacedSystemCalls replaced(disk);
    AtomicFile file(folder / "x");
    file.write(std::string_view("ne"));
    file.write(std::string_view("w"));
    file.commit();
  }
  Found during;
  EXPECT_GT(
      disk.for_each_state([&](const fs::path& state) { during.insert(read_file(state / "x")); }),
      5u);
  EXPECT_EQ(during, (Found{"old", "new"}));
  CrashDisk again(folder.path());
  EXPECT_EQ(found_after(folder.path(), [&] { write_file(folder / "x", std::string_view("3")); }),
            Found{"3"});
}

TEST(PowerCut, LeavesCreatedFoldersAndSyncedFiles) {
  const TemporaryFolder folder;
  const Found found = found_after(
      folder.path(),
      [&] {
        make_folder(folder / "a/b/c");
        AppendFile(folder / "a/b/c/x").append("line\n");
        sync_file(folder / "a/b/c/x");
      },
      "a/b/c/x");
  EXPECT_EQ(found, Found{"line\n"});
}

}  // namespace
}  // namespace halfstep::io
