#include "halfstep/io/zip.h"

#include <gtest/gtest.h>
#include <zip.h>

#include "tests/io/hostile.h"
#include "tests/io/temporary_folder.h"

namespace halfstep::io {
namespace {

std::vector<std::string> names_of(const ZipReader& archive) {
  std::vector<std::string> names;
  for (const ZipEntry& entry : archive.entries()) names.push_back(entry.name);
  return names;
}

TEST(Zip, EntriesKeepTheirOrder) {
  const TemporaryFolder folder;
  const Bytes b = bytes_of("bb"), a = bytes_of("a");
  ZipWriter writer(folder / "x.zip");
  writer.add("b/2.txt", {b, a, b});
  writer.add("a.txt", [] { return bytes_of("made later"); });
  writer.add("empty", std::vector<std::span<const std::byte>>{});
  writer.commit();
  const ZipReader reader(folder / "x.zip");
  EXPECT_EQ(names_of(reader), (std::vector<std::string>{"b/2.txt", "a.txt", "empty"}));
  const std::vector<ZipEntry> entries = reader.entries();
  EXPECT_TRUE(entries[0].stored);
  EXPECT_EQ(entries[1].size, 10u);
  EXPECT_EQ(reader.read(entries[0], 100), bytes_of("bbabb"));
  EXPECT_EQ(reader.read(entries[1], 100), bytes_of("made later"));
  EXPECT_TRUE(reader.read(entries[2], 100).empty());
  EXPECT_EQ(folder.files(), 1);
}

TEST(Zip, ContentsAreProducedOneAfterAnotherByCommit) {
  const TemporaryFolder folder;
  std::string made;
  ZipWriter writer(folder / "x.zip");
  for (const char name : {'a', 'b', 'c'}) {
    writer.add(std::string(1, name), [&made, name] {
      made += name;
      return Bytes(100'000, std::byte(name));
    });
  }
  EXPECT_EQ(made, "");
  writer.commit();
  EXPECT_EQ(made, "abc");
}

TEST(Zip, CommitRethrowsErrorsAndLeavesNoFile) {
  const TemporaryFolder folder;
  {
    ZipWriter writer(folder / "x.zip");
    writer.add("a", [] { return bytes_of("a"); });
    writer.add("b", []() -> Bytes { throw ConfigError("b", "cannot be made"); });
    expect_error<ConfigError>([&] { writer.commit(); }, "cannot be made");
  }
  EXPECT_EQ(folder.files(), 0);
}

TEST(Zip, DuplicateNamesAreRejected) {
  const TemporaryFolder folder;
  ZipWriter writer(folder / "x.zip");
  writer.add("a", [] { return bytes_of("a"); });
  expect_error<ConfigError>([&] { writer.add("a", [] { return bytes_of("b"); }); },
                            "entry \"a\": expected a valid entry name");
}

TEST(Zip, TheSameEntriesGiveTheSameBytes) {
  const TemporaryFolder folder;
  for (const char* name : {"x.zip", "y.zip"}) {
    ZipWriter writer(folder / name);
    writer.add("a", [] { return bytes_of("contents"); });
    writer.commit();
  }
  EXPECT_EQ(read_bytes(folder / "x.zip"), read_bytes(folder / "y.zip"));
}

TEST(Zip, StoredEntriesAreReadAtAnyOffset) {
  const TemporaryFolder folder;
  Bytes contents(200'000);
  for (size_t i = 0; i < contents.size(); ++i) contents[i] = static_cast<std::byte>(i * i >> 8);
  ZipWriter writer(folder / "x.zip");
  writer.add("before", [] { return bytes_of("before"); });
  writer.add("a", {contents});
  writer.commit();
  const ZipReader reader(folder / "x.zip");
  const ZipEntry entry = reader.entries()[1];
  for (const size_t offset : {199'000u, 0u, 70'001u}) {
    Bytes part(1000);
    reader.read_at(entry, offset, part);
    EXPECT_TRUE(std::ranges::equal(part, std::span(contents).subspan(offset, 1000))) << offset;
  }
  Bytes part(1000);
  expect_error<FormatError>([&] { reader.read_at(entry, 199'001, part); }, "1 more bytes");
  expect_error<FormatError>([&] { reader.read_at(entry, 200'001, part); }, "entry \"a\"");
}

TEST(Zip, EntriesAboveTheLimitAreNotUnpacked) {
  const TemporaryFolder folder;
  ZipWriter writer(folder / "x.zip");
  writer.add("a", [] { return Bytes(1001); });
  writer.commit();
  const ZipReader reader(folder / "x.zip");
  EXPECT_EQ(reader.read(reader.entries()[0], 1001).size(), 1001u);
  expect_error<FormatError>([&] { reader.read(reader.entries()[0], 1000); },
                            "expected at most 1000 bytes, received 1001");
}

}  // namespace
}  // namespace halfstep::io
