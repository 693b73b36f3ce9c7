#include "halfstep/data/gzip.h"

#include <gtest/gtest.h>

#include "tests/data/data_files.h"
#include "tests/io/hostile.h"
#include "tests/io/temporary_folder.h"

namespace halfstep::data {
namespace {

std::string long_text() {
  std::string text;
  for (int i = 0; i < 500'000; ++i) text += std::to_string(i);  // more than one piece of output
  return text;
}

TEST(Gzip, RoundTrips) {
  for (const std::string& text : {std::string(), std::string("halfstep"), long_text()}) {
    EXPECT_TRUE(gunzip(gzip_file(text), "file") == text) << text.size();
  }
}

TEST(Gzip, ConcatenatesMembers) {
  EXPECT_EQ(gunzip(gzip_file("half") + gzip_file("step"), "file"), "halfstep");
}

TEST(Gzip, ZerosAfterTheEndAreIgnored) {
  EXPECT_EQ(gunzip(gzip_file("halfstep") + std::string(100, '\0'), "file"), "halfstep");
}

TEST(Gzip, RejectsOtherBytesAfterTheEnd) {
  io::expect_error<FormatError>([] { gunzip(gzip_file("halfstep") + "more", "file"); },
                                "received trailing bytes");
}

TEST(Gzip, RejectsEveryTruncation) {
  io::expect_no_prefix_is_read(io::bytes_of(gzip_file("halfstep halfstep")), [](const auto& bytes) {
    gunzip({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, "file");
  });
}

TEST(Gzip, RejectsAWrongChecksum) {
  std::string packed = gzip_file("halfstep");
  packed[packed.size() - 8] = static_cast<char>(packed[packed.size() - 8] ^ 1);
  io::expect_error<FormatError>([&] { gunzip(packed, "file"); }, "file: expected gzip data");
}

TEST(Gzip, SurvivesDamage) {
  io::expect_mutations_survived(
      io::bytes_of(gzip_file(std::string(1000, 'x'))), 300, [](const auto& bytes) {
        gunzip({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, "file", 1 << 20);
      });
}

TEST(Gzip, TheBeginningIsReadAlone) {
  const std::string packed = gzip_file(long_text());
  EXPECT_EQ(gunzip_beginning(packed, "file", 5), "01234");
  EXPECT_EQ(gunzip_beginning(packed.substr(0, 1000), "file", 5), "01234");
  EXPECT_EQ(gunzip_beginning(gzip_file("abc"), "file", 5), "abc");
  io::expect_error<FormatError>([] { gunzip_beginning("\x1f\x8b\xff\xff", "file", 5); },
                                "file: expected gzip data");
}

TEST(Gzip, StopsAtTheMaximumSize) {
  std::string zeros;
  zeros.resize(10'000'000);
  const std::string bomb = gzip_file(zeros);
  EXPECT_LT(bomb.size(), 20'000u);
  EXPECT_EQ(gunzip(bomb, "file", 10'000'000).size(), 10'000'000u);
  io::expect_error<FormatError>([&] { gunzip(bomb, "file", 9'999'999); },
                                "at most 9999999 bytes unpacked");
}

TEST(Gzip, FilesAreRecognisedByTheirContents) {
  const io::TemporaryFolder folder;
  io::write_file(folder / "packed", gzip_file("halfstep"));
  io::write_file(folder / "plain.gz", std::string_view("halfstep"));
  EXPECT_EQ(read_maybe_gzip(folder / "packed"), "halfstep");
  EXPECT_EQ(read_maybe_gzip(folder / "plain.gz"), "halfstep");
  EXPECT_THROW(read_maybe_gzip(folder / "absent"), IoError);
}

}  // namespace
}  // namespace halfstep::data
