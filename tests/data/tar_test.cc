#include "halfstep/data/tar.h"

#include <gtest/gtest.h>

#include "tests/data/data_files.h"
#include "tests/io/hostile.h"

namespace halfstep::data {
namespace {

TEST(Tar, ReturnsFilesInOrder) {
  const std::string archive = tar_member("a.bin", "first") +
                              tar_member("folder/b.bin", std::string(512, 'x')) +
                              tar_member("empty", "") + tar_end();
  const std::vector<TarMember> members = read_tar(archive, "file");
  ASSERT_EQ(members.size(), 3u);
  EXPECT_EQ(members[0].name, "a.bin");
  EXPECT_EQ(members[0].contents, "first");
  EXPECT_EQ(members[1].name, "folder/b.bin");
  EXPECT_EQ(members[1].contents, std::string(512, 'x'));
  EXPECT_EQ(members[2].contents, "");
}

TEST(Tar, IgnoresFoldersAndExtensions) {
  const std::string archive =
      tar_member("folder/", "", '5') + tar_member("@LongLink", "a long name", 'L') +
      tar_member("pax", "20 path=elsewhere\n", 'x') + tar_member("a.bin", "first") + tar_end();
  const std::vector<TarMember> members = read_tar(archive, "file");
  ASSERT_EQ(members.size(), 1u);
  EXPECT_EQ(members[0].name, "a.bin");
}

TEST(Tar, StopsAtTheEndMarker) {
  EXPECT_EQ(read_tar(tar_member("a", "1") + tar_end() + "anything", "file").size(), 1u);
  EXPECT_TRUE(read_tar(tar_end(), "file").empty());
  EXPECT_TRUE(read_tar("", "file").empty());
}

TEST(Tar, RejectsOtherFormats) {
  io::expect_error<FormatError>([] { read_tar(std::string(600, 'x'), "file"); }, "checksum");
  io::expect_error<FormatError>([] { read_tar("short", "file"); }, "header of 512 bytes");
}

TEST(Tar, RejectsADamagedHeader) {
  std::string archive = tar_member("a.bin", "first") + tar_end();
  archive[0] = 'b';
  io::expect_error<FormatError>([&] { read_tar(archive, "file"); }, "checksum");
}

TEST(Tar, RejectsAMemberBeyondTheEnd) {
  const std::string archive = tar_member("a.bin", std::string(2000, 'x'));
  io::expect_error<FormatError>([&] { read_tar(archive.substr(0, 1500), "file"); },
                                "ends within the file");
}

TEST(Tar, SurvivesDamage) {
  const std::string archive =
      tar_member("a.bin", "first") + tar_member("b.bin", "second") + tar_end();
  io::expect_mutations_survived(io::bytes_of(archive), 500, [](const auto& bytes) {
    read_tar({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, "file");
  });
}

}  // namespace
}  // namespace halfstep::data
