#include "halfstep/io/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <thread>

#include "halfstep/io/npy.h"
#include "halfstep/io/safetensors.h"
#include "tests/io/hostile.h"
#include "tests/io/temporary_folder.h"

namespace halfstep::io {
namespace {

// Limits the size of files that this process writes, as long as the object lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit = {bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_ = {};
  sighandler_t handler_;
};

TEST(ReadFile, ReturnsWhatWasWritten) {
  const TemporaryFolder folder;
  const std::string text("zero \0 and \xff", 12);
  write_file(folder / "x", text);
  EXPECT_EQ(read_file(folder / "x"), text);
  EXPECT_EQ(read_bytes(folder / "x"), bytes_of(text));
}

TEST(ReadFile, ReadsEmptyAndLargeFiles) {
  const TemporaryFolder folder;
  for (const std::size_t size : {0, 1, 65536, 65537, 3'000'000}) {
    const std::string text(size, 'q');
    write_file(folder / "x", text);
    EXPECT_EQ(read_file(folder / "x"), text);
  }
}

TEST(ReadFile, StopsAtTheGivenLimit) {
  const TemporaryFolder folder;
  write_file(folder / "x", std::string_view("abcdef"));
  EXPECT_EQ(read_file(folder / "x", 4), "abcd");
  EXPECT_EQ(read_file(folder / "x", 6), "abcdef");
  EXPECT_EQ(read_file(folder / "x", 100), "abcdef");
  EXPECT_EQ(read_file(folder / "x", 0), "");
}

TEST(ReadFile, ReadsPipes) {
  const TemporaryFolder folder;
  const auto pipe = folder / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const std::string text(200'000, 'p');
  std::jthread writer([&] { write_file(pipe, text); });
  EXPECT_EQ(read_file(pipe), text);
  writer.join();
  expect_error<IoError>([&] { read_file(pipe); }, "nothing was written for 5 seconds");
}

TEST(ReadFile, NamesPathAndReasonOfAMissingFile) {
  const TemporaryFolder folder;
  expect_error<IoError>([&] { read_file(folder / "absent"); },
                        "absent: expected a readable file, received \"No such file or directory\"");
}

TEST(ReadFile, RejectsFoldersAndDevices) {
  const TemporaryFolder folder;
  expect_error<IoError>([&] { read_file(folder.path()); }, "received a folder");
  expect_error<IoError>([&] { read_file("/dev/zero"); }, "received a device");
}

TEST(ReadPieces, ConcatenateToTheFile) {
  const TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += std::to_string(i);
  write_file(folder / "x", text);
  std::string read;
  int pieces = 0;
  read_pieces(folder / "x", [&](std::span<const std::byte> piece) {
    read.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    ++pieces;
  });
  EXPECT_EQ(read, text);
  EXPECT_GT(pieces, 1);
}

TEST(WriteFile, ReplacesTheOldFileAndLeavesNoOthers) {
  const TemporaryFolder folder;
  write_file(folder / "x", std::string_view("old and longer"));
  write_file(folder / "x", std::string_view("new"));
  EXPECT_EQ(read_file(folder / "x"), "new");
  EXPECT_EQ(folder.files(), 1);
}

TEST(WriteFile, WritesToARelativePath) {
  const TemporaryFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  write_file("x", std::string_view("here"));
  std::filesystem::current_path(before);
  EXPECT_EQ(read_file(folder / "x"), "here");
}

TEST(WriteFile, FollowsAndKeepsLinks) {
  const TemporaryFolder folder;
  write_file(folder / "real", std::string_view("old"));
  std::filesystem::create_symlink("real", folder / "link");
  write_file(folder / "link", std::string_view("new"));
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_EQ(read_file(folder / "real"), "new");
}

TEST(WriteFile, KeepsThePermissionsOfTheOldFile) {
  const TemporaryFolder folder;
  write_file(folder / "x", std::string_view("old"));
  ASSERT_EQ(chmod((folder / "x").c_str(), 0600), 0);
  write_file(folder / "x", std::string_view("new"));
  EXPECT_EQ(std::filesystem::status(folder / "x").permissions(), std::filesystem::perms(0600));
}

TEST(WriteFile, RejectsFoldersAndMissingFolders) {
  const TemporaryFolder folder;
  expect_error<IoError>([&] { write_file(folder.path(), std::string_view("x")); }, "directory");
  expect_error<IoError>([&] { write_file("", std::string_view("x")); }, "file name");
  expect_error<IoError>([&] { write_file(folder / "no/x", std::string_view("x")); },
                        "its folder must exist");
}

TEST(WriteFile, WritesDevicesDirectlyAndKeepsThem) {
  write_file("/dev/null", std::string_view("gone"));
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST(WriteFile, ReportsAFullDevice) {
  expect_error<IoError>([] { write_file("/dev/full", std::string_view("x")); },
                        "/dev/full: expected to write, received \"No space left on device\"");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
}

TEST(AtomicFile, AppearsOnlyAfterCommit) {
  const TemporaryFolder folder;
  {
    AtomicFile file(folder / "x");
    file.write(std::string_view("half"));
    EXPECT_FALSE(std::filesystem::exists(folder / "x"));
  }
  EXPECT_EQ(folder.files(), 0);
}

TEST(AtomicFile, TwoWritersOfOneNameDoNotInterfere) {
  const TemporaryFolder folder;
  AtomicFile one(folder / "x");
  AtomicFile two(folder / "x");
  one.write(std::string_view("one"));
  two.write(std::string_view("two"));
  two.commit();
  EXPECT_EQ(read_file(folder / "x"), "two");
  one.commit();
  EXPECT_EQ(read_file(folder / "x"), "one");
  EXPECT_EQ(folder.files(), 1);
}

TEST(AtomicFile, SeeksBackToWriteAHeader) {
  const TemporaryFolder folder;
  AtomicFile file(folder / "x");
  file.write(std::string_view("....body"));
  EXPECT_EQ(file.tell(), 8u);
  file.seek(0);
  file.write(std::string_view("HEAD"));
  EXPECT_EQ(file.size(), 8u);
  file.commit();
  EXPECT_EQ(read_file(folder / "x"), "HEADbody");
}

// Calls every writer on a file system that holds at most 64 KiB.
void expect_old_files_survive(const std::filesystem::path& folder, std::string_view reason) {
  const Array big{DType::u8, {1 << 20}, Bytes(1 << 20)};
  const std::map<std::string, ArrayView> arrays = {{"a", big.view()}};
  const std::map<std::string, std::function<void(const std::filesystem::path&)>> writers = {
      {"plain", [&](const auto& path) { write_file(path, big.bytes); }},
      {"npy", [&](const auto& path) { write_npy(path, big.view()); }},
      {"npz", [&](const auto& path) { write_npz(path, arrays); }},
      {"safetensors", [&](const auto& path) { write_safetensors(path, arrays); }}};
  for (const auto& [name, write] : writers) {
    SCOPED_TRACE(name);
    write_file(folder / name, std::string_view("old"));
    expect_error<IoError>([&, &write = write, &name = name] { write(folder / name); }, reason);
    EXPECT_EQ(read_file(folder / name), "old");
  }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}),
            static_cast<std::ptrdiff_t>(writers.size()));
}

TEST(AtomicFile, RemovesWhatKilledWritersHaveLeftInTheFolder) {
  const TemporaryFolder folder;
  const auto make = [&](const std::string& name) {
    return WritableFile(folder / name, folder / name, O_WRONLY | O_CREAT);
  };
  make(".old.npy.halfstep-12-3.tmp");
  make(".of_others.12-3.tmp");
  const WritableFile living = make(".new.npy.halfstep-12-3.tmp");
  ASSERT_EQ(::flock(living.fd(), LOCK_EX), 0);
  write_file(folder / "x", std::string_view("x"));
  EXPECT_FALSE(std::filesystem::exists(folder / ".old.npy.halfstep-12-3.tmp"));
  EXPECT_TRUE(std::filesystem::exists(folder / ".of_others.12-3.tmp"));
  EXPECT_TRUE(std::filesystem::exists(folder / ".new.npy.halfstep-12-3.tmp"));
}

TEST(AtomicFile, OfALivingWriterIsKept) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "a");
  AtomicFile file(folder / "a" / "x");
  file.write(std::string_view("x"));
  remove_left_temporaries(folder.path());
  file.commit();
  EXPECT_EQ(read_file(folder / "a" / "x"), "x");
}

TEST(FullDisk, KeepsTheOldFileAndThrowsAtASizeLimit) {
  const TemporaryFolder folder;
  const FileSizeLimit limit(1 << 16);
  expect_old_files_survive(folder.path(), "received \"File too large\"; free some space");
}

TEST(FullDisk, KeepsTheOldFileAndThrowsOnASmallFileSystem) {
  const TemporaryFolder folder;
  if (mount("none", folder.path().c_str(), "tmpfs", 0, "size=64k") != 0) {
    GTEST_SKIP() << "only root may mount a small file system";
  }
  expect_old_files_survive(folder.path(), "received \"No space left on device\"; free some space");
  umount(folder.path().c_str());
}

}  // namespace
}  // namespace halfstep::io
