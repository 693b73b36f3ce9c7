#include "halfstep/io/random_access.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/io/hostile.h"
#include "tests/io/temporary_folder.h"

namespace halfstep::io {
namespace {

TEST(RandomAccessFile, ReadsAtAnyOffset) {
  const TemporaryFolder folder;
  write_file(folder / "x", std::string_view("0123456789"));
  const RandomAccessFile file(folder / "x");
  EXPECT_EQ(file.size(), 10u);
  Bytes part(3);
  file.read_at(7, part);
  EXPECT_EQ(part, bytes_of("789"));
  file.read_at(0, part);
  EXPECT_EQ(part, bytes_of("012"));
  expect_error<IoError>([&] { file.read_at(8, part); }, "expected 11 bytes, received only 10");
}

TEST(RandomAccessFile, TruncatingAnOpenFileIsAnError) {
  const TemporaryFolder folder;
  write_file(folder / "x", std::string_view("0123456789"));
  const RandomAccessFile file(folder / "x");
  std::filesystem::resize_file(folder / "x", 5);
  Bytes part(3);
  expect_error<IoError>([&] { file.read_at(6, part); }, "was truncated");
}

TEST(RandomAccessFile, OpensOnlyExistingRegularFiles) {
  const TemporaryFolder folder;
  expect_error<IoError>([&] { RandomAccessFile(folder / "absent"); }, "absent");
  expect_error<IoError>([&] { RandomAccessFile(folder.path()); }, "a regular file");
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);  // does not wait for a writer
  expect_error<IoError>([&] { RandomAccessFile(folder / "pipe"); }, "received a pipe or a device");
  expect_error<IoError>([&] { RandomAccessFile("/dev/zero"); }, "a regular file");
}

TEST(ScratchFile, HasNoNameAndReturnsWhatWasAppended) {
  const TemporaryFolder folder;
  ASSERT_EQ(setenv("TMPDIR", folder.path().c_str(), 1), 0);
  ScratchFile file(10, "a test");
  ASSERT_EQ(unsetenv("TMPDIR"), 0);
  EXPECT_EQ(folder.files(), 0);
  file.append(bytes_of("01234"));
  file.append(bytes_of("56789"));
  Bytes part(4);
  file.read_at(3, part);
  EXPECT_EQ(part, bytes_of("3456"));
}

TEST(ScratchFile, ErrorNamesTheFolder) {
  ASSERT_EQ(setenv("TMPDIR", "/absent", 1), 0);
  expect_error<IoError>([] { ScratchFile(10, "a test"); }, "/absent");
  ASSERT_EQ(unsetenv("TMPDIR"), 0);
  expect_error<IoError>([] { ScratchFile(uint64_t{1} << 60, "a test"); }, "a test");
}

}  // namespace
}  // namespace halfstep::io
