#include "halfstep/io/safetensors.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "tests/io/hostile.h"
#include "tests/io/temporary_folder.h"

namespace halfstep::io {
namespace {

// Returns a file made of its parts. The default length is that of the header.
Bytes file_of(std::string_view header, std::size_t data_size, std::uint64_t length = UINT64_MAX) {
  if (length == UINT64_MAX) length = header.size();
  std::string text(8, '\0');
  std::memcpy(text.data(), &length, 8);
  return bytes_of(text + std::string(header) + std::string(data_size, '\x01'));
}

SafetensorsFile parse(Bytes contents) { return SafetensorsFile(std::move(contents), "file"); }

void expect_refused(std::string_view header, std::size_t data_size, std::string_view part) {
  SCOPED_TRACE(std::string(header));
  expect_error<FormatError>([&] { parse(file_of(header, data_size)); }, part);
}

Bytes sound_file() {
  return file_of(
      R"({"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
      R"("b":{"dtype":"I16","shape":[1,3],"data_offsets":[8,14]}})",
      14);
}

TEST(Safetensors, RoundTripsEveryTypeWithItsBits) {
  const TemporaryFolder folder;
  std::map<std::string, Array> arrays;
  for (const DType dtype : {DType::boolean, DType::u8, DType::i8, DType::i16, DType::bf16,
                            DType::f16, DType::i32, DType::f32, DType::i64, DType::f64}) {
    Array array{dtype, {3, 1}, Bytes(3 * size_of(dtype))};
    for (std::size_t i = 0; i < array.bytes.size(); ++i) array.bytes[i] = std::byte(i * 37);
    arrays.emplace(name_of(dtype), std::move(array));
  }
  std::map<std::string, ArrayView> views;
  for (const auto& [name, array] : arrays) views.emplace(name, array.view());
  write_safetensors(folder / "x", views, {{"halfstep", "{\"a\": \"\u00e9\"}"}, {"empty", ""}});

  const SafetensorsFile file(folder / "x");
  EXPECT_EQ(file.metadata().size(), 2u);
  EXPECT_EQ(file.metadata().at("halfstep"), "{\"a\": \"\u00e9\"}");
  ASSERT_EQ(file.tensors().size(), arrays.size());
  for (const auto& [name, array] : arrays) {
    const ArrayView& read = file.at(name);
    EXPECT_EQ(read.dtype, array.dtype);
    EXPECT_EQ(read.shape, array.shape);
    EXPECT_TRUE(std::ranges::equal(read.bytes, array.bytes)) << name;
  }
}

TEST(Safetensors, TheSameInputGivesTheSameBytes) {
  const TemporaryFolder folder;
  const Array array = make_array<float>({2}, std::array<float, 2>{1, 2});
  for (const char* name : {"one", "two"}) {
    write_safetensors(folder / name, {{"a", array.view()}, {"b", array.view()}}, {{"k", "v"}});
  }
  EXPECT_EQ(read_bytes(folder / "one"), read_bytes(folder / "two"));
}

TEST(Safetensors, DataAreAlignedInTheFile) {
  const TemporaryFolder folder;
  const Array bytes{DType::u8, {3}, Bytes(3)};
  const Array doubles{DType::f64, {2}, Bytes(16)};
  write_safetensors(folder / "x", {{"a", bytes.view()}, {"b", doubles.view()}});
  const Bytes contents = read_bytes(folder / "x");
  std::uint64_t length = 0;
  std::memcpy(&length, contents.data(), 8);
  EXPECT_EQ(length % 8, 0u);
  EXPECT_EQ(contents.size(), 8 + length + 19);
  EXPECT_EQ(SafetensorsFile(folder / "x").at("b").as<double>().size(), 2u);
}

TEST(Safetensors, SupportsNoTensorsEmptyTensorsAndScalars) {
  const TemporaryFolder folder;
  write_safetensors(folder / "none", {});
  EXPECT_TRUE(SafetensorsFile(folder / "none").tensors().empty());
  const Array empty{DType::f32, {0, 3}, {}};
  const Array scalar{DType::f32, {}, Bytes(4)};
  write_safetensors(folder / "x", {{"empty", empty.view()}, {"scalar", scalar.view()}});
  const SafetensorsFile file(folder / "x");
  EXPECT_EQ(file.at("empty").count(), 0);
  EXPECT_EQ(file.at("scalar").count(), 1);
}

TEST(Safetensors, ReadsFilesOfPython) {
  const SafetensorsFile file(data_file("mixed.safetensors"));
  EXPECT_EQ(file.metadata().at("halfstep"), "{\"a\": 1}");
  EXPECT_EQ(file.at("weight").shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_TRUE(
      std::ranges::equal(file.at("weight").as<float>(), std::array<float, 6>{0, 1, 2, 3, 4, 5}));
  EXPECT_TRUE(std::ranges::equal(file.at("half").as<std::uint16_t>(),
                                 std::array<std::uint16_t, 2>{0x3c00, 0xc000}));
  EXPECT_TRUE(
      std::ranges::equal(file.at("flag").as<std::uint8_t>(), std::array<std::uint8_t, 3>{1, 0, 1}));
  EXPECT_EQ(file.at("count").as<std::int64_t>()[0], 5);
  EXPECT_EQ(file.at("none").shape, (std::vector<std::int64_t>{0, 4}));
}

TEST(Safetensors, MisalignedTensorsAreAlignedInMemory) {
  const SafetensorsFile file =
      parse(file_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                    R"("b":{"dtype":"F64","shape":[2],"data_offsets":[1,17]}})",
                    17));
  EXPECT_EQ(file.at("b").as<double>().size(), 2u);
  EXPECT_EQ(file.at("b").bytes[15], std::byte{1});
}

TEST(Safetensors, MovingAFileKeepsItsViews) {
  SafetensorsFile file = parse(sound_file());
  const ArrayView view = file.at("a");
  const SafetensorsFile moved = std::move(file);
  EXPECT_EQ(moved.at("a").bytes.data(), view.bytes.data());
  EXPECT_EQ(moved.at("a").as<float>().size(), 2u);
}

TEST(Safetensors, AMissingTensorIsAnErrorThatListsTheOthers) {
  const SafetensorsFile file = parse(sound_file());
  expect_error<FormatError>([&] { (void)file.at("c"); },
                            "expected \"c\", received 2 others: \"a\", \"b\"");
}

TEST(Safetensors, RejectsEveryTruncation) {
  expect_no_prefix_is_read(sound_file(), parse);
  expect_no_prefix_is_read(read_bytes(data_file("mixed.safetensors")), parse);
}

TEST(Safetensors, RejectsTrailingBytes) {
  Bytes longer = sound_file();
  longer.push_back(std::byte{0});
  expect_error<FormatError>([&] { parse(longer); }, "expected 14 bytes of data, received 15");
}

TEST(Safetensors, RejectsAHeaderLongerThanTheFile) {
  for (const std::uint64_t length : {std::uint64_t{3}, std::uint64_t{100'000'000}}) {
    expect_error<FormatError>([&] { parse(file_of("{}", 0, length)); }, "cut short");
  }
  for (const std::uint64_t length :
       {std::uint64_t{100'000'001}, UINT64_MAX - 1, UINT64_MAX - 8, std::uint64_t{1} << 63}) {
    expect_error<FormatError>([&] { parse(file_of("{}", 0, length)); }, "another format");
  }
}

TEST(Safetensors, RejectsOtherFormatsByTheirFirstBytes) {
  const TemporaryFolder folder;
  write_file(folder / "x", std::string_view("PK\x03\x04 and so on"));
  expect_error<FormatError>([&] { SafetensorsFile(folder / "x"); }, "another format");
  write_file(folder / "x", std::string_view("short"));
  expect_error<FormatError>([&] { SafetensorsFile(folder / "x"); }, "received 5");
}

TEST(Safetensors, MissingFileIsAnIoErrorWithItsName) {
  const TemporaryFolder folder;
  expect_error<IoError>([&] { SafetensorsFile(folder / "absent.safetensors"); }, "absent");
}

TEST(Safetensors, RejectsAHeaderThatIsNotAnObject) {
  expect_refused("", 0, "JSON");
  expect_refused("[]", 0, "expected an object, received array");
  expect_refused("{", 0, "line 1, column 2");
  expect_refused("{\"a\xff\":{}}", 0, "JSON");
  expect_refused("{}{}", 0, "JSON");
  expect_refused(std::string(100'000, '['), 0, "JSON");
}

TEST(Safetensors, RejectsDuplicateNames) {
  expect_refused(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                 R"("a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
                 2, "\"a\" twice");
}

TEST(Safetensors, RejectsMetadataOfOtherTypes) {
  expect_refused(R"({"__metadata__":[]})", 0, "__metadata__");
  expect_refused(R"({"__metadata__":{"k":1}})", 0, "expected a string, received number");
}

TEST(Safetensors, RejectsMissingAndWrongFields) {
  expect_refused(R"({"a":1})", 0, "expected an object, received number");
  expect_refused(R"({"a":{"shape":[1],"data_offsets":[0,1]}})", 1, "dtype: expected this key");
  expect_refused(R"({"a":{"dtype":"U8","data_offsets":[0,1]}})", 1, "shape: expected this key");
  expect_refused(R"({"a":{"dtype":"U8","shape":[1]}})", 1, "data_offsets: expected this key");
  expect_refused(R"({"a":{"dtype":"U8","shape":1,"data_offsets":[0,1]}})", 1, "expected a list");
  expect_refused(R"({"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}})", 1, "F8_E4M3");
  expect_refused(R"({"a":{"dtype":7,"shape":[1],"data_offsets":[0,1]}})", 1, "number");
}

TEST(Safetensors, RejectsSizesThatAreNotIntegers) {
  for (const char* size : {"-1", "1.0", "1e0", "\"1\"", "null", "[1]", "18446744073709551616"}) {
    expect_refused(
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[" + std::string(size) + "],\"data_offsets\":[0,1]}}",
        1, "tensor \"a\" shape: expected integers >= 0");
  }
  expect_refused(R"({"a":{"dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,1]}})", 1,
                 "below 2^63");
}

TEST(Safetensors, RejectsShapesThatOverflow) {
  expect_refused(R"({"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0,
                 "2^63");
  expect_refused(R"({"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}})", 0,
                 "elements of 8 bytes");
  expect_refused(R"({"a":{"dtype":"F64","shape":[2305843009213693953],"data_offsets":[0,8]}})", 8,
                 "elements of 8 bytes");
}

TEST(Safetensors, RejectsOffsetsBeyondTheFile) {
  expect_refused(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", 1, "data_offsets");
  expect_refused(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", 1, "data_offsets");
  expect_refused(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,18446744073709551615]}})", 1,
                 "cut short");
}

TEST(Safetensors, RejectsInvalidOffsets) {
  expect_refused(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}})", 1, "ascending");
  expect_refused(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}})", 1, "two");
  expect_refused(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,1]}})", 1, "two");
  expect_refused(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[-1,0]}})", 1, "integers >= 0");
}

TEST(Safetensors, RejectsSizesThatDoNotMatchTheShape) {
  expect_refused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4,
                 "received 4 bytes");
  expect_refused(R"({"a":{"dtype":"F32","shape":[0],"data_offsets":[0,4]}})", 4,
                 "received 4 bytes");
}

TEST(Safetensors, RejectsOverlapsAndGaps) {
  expect_refused(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                 R"("b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
                 3, "expected to begin at 2");
  expect_refused(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                 R"("b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
                 3, "expected to begin at 1");
  expect_refused(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", 2, "begin at 0");
}

TEST(Safetensors, ReadsAHeaderPaddedWithSpaces) { EXPECT_NO_THROW(parse(file_of("{}      ", 0))); }

TEST(Safetensors, WritingRejectsWhatCouldNotBeRead) {
  const TemporaryFolder folder;
  const Array sound{DType::u8, {1}, Bytes(1)};
  const Array wrong{DType::f32, {2}, Bytes(4)};
  const auto write = [&](const std::string& name, const Array& array) {
    write_safetensors(folder / "x", {{name, array.view()}});
  };
  expect_error<ConfigError>([&] { write("__metadata__", sound); }, "__metadata__");
  expect_error<ConfigError>([&] { write("\xff", sound); }, "UTF-8");
  expect_error<FormatError>([&] { write("a", wrong); }, "tensor \"a\"");
  EXPECT_EQ(folder.files(), 0);
}

TEST(Safetensors, SurvivesMutations) {
  const auto touch = [](Bytes bytes) {
    const SafetensorsFile file = parse(std::move(bytes));
    for (const auto& [name, view] : file.tensors()) require_consistent(view, name);
  };
  expect_mutations_survived(sound_file(), 5000, touch);
  expect_mutations_survived(read_bytes(data_file("mixed.safetensors")), 5000, touch);
}

}  // namespace
}  // namespace halfstep::io
