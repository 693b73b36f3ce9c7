#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "halfstep/io/npy.h"
#include "tests/io/hostile.h"
#include "tests/io/temporary_folder.h"

namespace halfstep::io {
namespace {

using Shape = std::vector<std::int64_t>;

std::map<std::string, Array> decode(const Bytes& contents) { return decode_npz(contents, "file"); }

// Returns a valid file written by halfstep.
Bytes written(const std::map<std::string, ArrayView>& arrays) {
  const TemporaryFolder folder;
  write_npz(folder / "x.npz", arrays);
  return read_bytes(folder / "x.npz");
}

// Returns the position of `text` in `bytes`, searching from `from`.
std::size_t find(const Bytes& bytes, std::string_view text, std::size_t from = 0) {
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size())
      .find(text, from);
}

TEST(Npz, RoundTripsSeveralArrays) {
  const Array images{DType::u8, {2, 4, 4, 3}, Bytes(96, std::byte{7})};
  const Array labels = make_array<std::int64_t>({2}, std::array<std::int64_t, 2>{3, -1});
  const Array empty{DType::f64, {0}, {}};
  const Array scalar = make_array<double>({}, std::array<double, 1>{0.1});
  const TemporaryFolder folder;
  write_npz(folder / "x.npz", {{"arr_0", images.view()},
                               {"arr_1", labels.view()},
                               {"empty", empty.view()},
                               {"scalar", scalar.view()}});
  const auto read = read_npz(folder / "x.npz");
  ASSERT_EQ(read.size(), 4u);
  EXPECT_EQ(read.at("arr_0").shape, images.shape);
  EXPECT_EQ(read.at("arr_0").bytes, images.bytes);
  EXPECT_TRUE(std::ranges::equal(read.at("arr_1").as<std::int64_t>(), labels.as<std::int64_t>()));
  EXPECT_EQ(read.at("empty").count(), 0);
  EXPECT_EQ(read.at("scalar").as<double>()[0], 0.1);
  EXPECT_EQ(folder.files(), 1);
}

TEST(Npz, HoldsArraysLargerThanAPiece) {
  Array big{DType::u8, {40'000'000}, Bytes(40'000'000)};
  for (std::size_t i = 0; i < big.bytes.size(); i += 1009) big.bytes[i] = std::byte(i);
  const auto read = decode(written({{"big", big.view()}}));
  EXPECT_TRUE(read.at("big").bytes == big.bytes);
}

TEST(Npz, TheSameArraysGiveTheSameBytes) {
  const Array array{DType::u8, {2}, Bytes(2)};
  EXPECT_EQ(written({{"a", array.view()}}), written({{"a", array.view()}}));
}

TEST(Npz, ReadsStoredAndDeflatedFilesOfPython) {
  const auto moments = read_npz(data_file("moments.npz"));
  EXPECT_TRUE(std::ranges::equal(moments.at("mu").as<double>(), std::array<double, 3>{0, 1, 2}));
  EXPECT_TRUE(std::ranges::equal(moments.at("sigma").as<double>(),
                                 std::array<double, 9>{1, 0, 0, 0, 1, 0, 0, 0, 1}));
  const auto samples = read_npz(data_file("samples.npz"));
  const Array& images = samples.at("arr_0");
  EXPECT_EQ(images.shape, (Shape{1, 4, 4, 3}));
  EXPECT_EQ(images.as<std::uint8_t>()[(2 * 4 + 1) * 3 + 2], (37 * 1 + 61 * 2 + 89 * 2) % 256);
  EXPECT_EQ(samples.at("arr_1").as<std::int64_t>()[0], 3);
}

TEST(Npz, RejectsEveryTruncation) {
  expect_no_prefix_is_read(read_bytes(data_file("samples.npz")), decode);
}

TEST(Npz, RejectsAWrongChecksum) {
  const Array array{DType::u8, {100}, Bytes(100, std::byte{'q'})};
  Bytes file = written({{"a", array.view()}});
  file[find(file, "qqqq") + 50] ^= std::byte{1};
  expect_error<FormatError>([&] { decode(file); },
                            "[file entry \"a.npy\"] zip: expected valid data");
}

TEST(Npz, RejectsDuplicateNames) {
  const Array array{DType::u8, {1}, Bytes(1)};
  Bytes file = written({{"first", array.view()}, {"other", array.view()}});
  for (std::size_t at = 0; (at = find(file, "other.npy", at)) != std::string_view::npos; ++at) {
    std::memcpy(&file[at], "first", 5);
  }
  expect_error<FormatError>([&] { decode(file); }, "\"first.npy\" twice");
}

// Sets the unpacked size of every entry to 4 GiB in the central directory, whose entries begin with
// PK 1 2.
int state_huge_sizes(Bytes& file) {
  const std::uint32_t huge = 0xfffffff0;
  int changed = 0;
  for (std::size_t at = 0; (at = find(file, "PK\x01\x02", at)) != std::string_view::npos; ++at) {
    std::memcpy(&file[at + 24], &huge, 4);
    ++changed;
  }
  return changed;
}

TEST(Npz, AWrongClaimedSizeDoesNotAllocateMemory) {
  Bytes file = read_bytes(data_file("samples.npz"));
  ASSERT_EQ(state_huge_sizes(file), 2);
  expect_error<FormatError>([&] { decode(file); }, "zip: expected");
}

TEST(Npz, RejectsTooLargeFilesBeforeUnpacking) {
  const Array array{DType::u8, {1}, Bytes(1)};
  std::map<std::string, ArrayView> arrays;
  for (int i = 0; i < 9; ++i) arrays.emplace("a" + std::to_string(i), array.view());
  Bytes file = written(arrays);
  ASSERT_EQ(state_huge_sizes(file), 9);
  expect_error<FormatError>([&] { decode(file); }, "npz: expected at most 34359738368 bytes");
}

TEST(Npz, RejectsAZipWithoutArrays) {
  const Array array{DType::u8, {1}, Bytes(1)};
  Bytes file = written({{"a", array.view()}});
  for (std::size_t at = 0; (at = find(file, "a.npy", at)) != std::string_view::npos; ++at) {
    std::memcpy(&file[at], "a.txt", 5);
  }
  expect_error<FormatError>([&] { decode(file); }, "received a zip of 1 other files");
}

TEST(Npz, RejectsOtherFormats) {
  const TemporaryFolder folder;
  expect_error<FormatError>([&] { read_npz(data_file("f4.npy")); }, "expected a zip file");
  write_file(folder / "empty.npz", std::string_view());
  expect_error<FormatError>([&] { read_npz(folder / "empty.npz"); }, "an empty file");
  expect_error<FormatError>([&] { decode({}); }, "");
  expect_error<IoError>([&] { read_npz(folder / "absent.npz"); }, "absent.npz");
  expect_error<IoError>([&] { read_npz(folder.path()); }, "a folder");
}

TEST(Npz, WritingNoArraysThrows) {
  const TemporaryFolder folder;
  expect_error<ConfigError>([&] { write_npz(folder / "x.npz", {}); }, "at least one array");
  const Array bf16{DType::bf16, {1}, Bytes(2)};
  expect_error<ConfigError>([&] { write_npz(folder / "x.npz", {{"a", bf16.view()}}); }, "bf16");
  EXPECT_EQ(folder.files(), 0);
}

TEST(Npz, ReportsAFullDevice) {
  const Array array{DType::u8, {1}, Bytes(1)};
  expect_error<IoError>(
      [&] {
        write_npz("/dev/full", {{"a", array.view()}});
      },
      "/dev/full: expected to write, received \"No space left on device\"");
}

TEST(Npz, SurvivesMutations) {
  for (const char* name : {"samples.npz", "moments.npz"}) {
    expect_mutations_survived(read_bytes(data_file(name)), 3000, [](const Bytes& bytes) {
      for (const auto& [key, array] : decode(bytes)) require_consistent(array.view(), key);
    });
  }
}

}  // namespace
}  // namespace halfstep::io
