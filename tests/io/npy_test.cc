#include "halfstep/io/npy.h"

#include <gtest/gtest.h>

#include <array>
#include <numeric>

#include "tests/io/hostile.h"
#include "tests/io/temporary_folder.h"

namespace halfstep::io {
namespace {

using Shape = std::vector<std::int64_t>;

// Returns a version 1 file with the given dictionary and number of data bytes.
Bytes file_of(const std::string& dictionary, std::size_t data_size) {
  std::string text("\x93NUMPY\x01\x00", 8);
  text += static_cast<char>(dictionary.size() & 0xff);
  text += static_cast<char>(dictionary.size() >> 8);
  return bytes_of(text + dictionary + std::string(data_size, '\x01'));
}

Array decode(Bytes contents) { return decode_npy(std::move(contents), "file"); }

void expect_refused(const std::string& dictionary, std::string_view part) {
  SCOPED_TRACE(dictionary);
  expect_error<FormatError>([&] { decode(file_of(dictionary, 4)); }, part);
}

TEST(Npy, RoundTripsEveryTypeNumPyHas) {
  const TemporaryFolder folder;
  for (const DType dtype : {DType::f64, DType::f32, DType::f16, DType::i64, DType::i32, DType::i16,
                            DType::i8, DType::u8, DType::boolean}) {
    for (const Shape& shape : {Shape{}, Shape{3}, Shape{0, 2}, Shape{2, 1, 3}}) {
      Array array{dtype, shape, {}};
      array.bytes.resize(static_cast<std::size_t>(array.count()) * size_of(dtype), std::byte{5});
      write_npy(folder / "x.npy", array.view());
      const Array read = read_npy(folder / "x.npy");
      EXPECT_EQ(read.dtype, dtype);
      EXPECT_EQ(read.shape, shape);
      EXPECT_EQ(read.bytes, array.bytes);
    }
  }
}

TEST(Npy, HeadersEqualThoseOfNumPy) {
  const Array array = read_npy(data_file("f4.npy"));
  const TemporaryFolder folder;
  write_npy(folder / "x.npy", array.view());
  EXPECT_EQ(read_bytes(folder / "x.npy"), read_bytes(data_file("f4.npy")));
  const Array scalar = read_npy(data_file("scalar_i8.npy"));
  write_npy(folder / "x.npy", scalar.view());
  EXPECT_EQ(read_bytes(folder / "x.npy"), read_bytes(data_file("scalar_i8.npy")));
}

TEST(Npy, HeadersAreMultiplesOf64Bytes) {
  for (int rank = 0; rank <= 64; ++rank) {
    const Array array{DType::u8, Shape(static_cast<std::size_t>(rank), 1), Bytes(1)};
    EXPECT_EQ(npy_header(array.view()).size() % 64, 0u);
  }
}

TEST(Npy, ReadsFilesOfPython) {
  const Array f4 = read_npy(data_file("f4.npy"));
  EXPECT_EQ(f4.shape, (Shape{2, 3}));
  EXPECT_TRUE(std::ranges::equal(f4.as<float>(), std::array<float, 6>{0, .5, 1, 1.5, 2, 2.5}));
  EXPECT_EQ(read_npy(data_file("scalar_i8.npy")).as<std::int64_t>()[0], -7);
  EXPECT_EQ(read_npy(data_file("empty_i2.npy")).shape, (Shape{0, 5}));
  EXPECT_TRUE(std::ranges::equal(read_npy(data_file("bool.npy")).as<std::uint8_t>(),
                                 std::array<std::uint8_t, 3>{1, 0, 1}));
  for (const char* name : {"version2.npy", "version3.npy"}) {
    EXPECT_TRUE(std::ranges::equal(read_npy(data_file(name)).as<std::int32_t>(),
                                   std::array<std::int32_t, 4>{0, 1, 2, 3}));
  }
}

TEST(Npy, FortranOrderBecomesCOrder) {
  const Array array = read_npy(data_file("fortran_f8.npy"));
  EXPECT_EQ(array.shape, (Shape{2, 3, 4}));
  std::array<double, 24> expected;
  std::iota(expected.begin(), expected.end(), 0.0);
  EXPECT_TRUE(std::ranges::equal(array.as<double>(), expected));
}

TEST(Npy, EmptyFortranArraysAreEmpty) {
  const Array array =
      decode(file_of("{'descr': '<f4', 'fortran_order': True, 'shape': (0, 3), }\n", 0));
  EXPECT_EQ(array.count(), 0);
}

TEST(Npy, ReadsOtherSpellingsOfTheHeader) {
  const auto shape = [](const std::string& dictionary, std::size_t size) {
    return decode(file_of(dictionary, size)).shape;
  };
  EXPECT_EQ(shape(R"({"shape":(2L,1L),"descr":"<u1","fortran_order":False})", 2), (Shape{2, 1}));
  EXPECT_EQ(shape("{'descr':'<b1','fortran_order':False,'shape':(),}   \n", 1), Shape{});
}

TEST(Npy, RejectsOtherElementTypesAndNamesThem) {
  expect_error<FormatError>([] { read_npy(data_file("big_endian.npy")); },
                            "expected little-endian data (save it with .astype('<f4'))");
  expect_error<FormatError>([] { read_npy(data_file("object.npy")); }, "never loaded");
  expect_error<FormatError>([] { read_npy(data_file("structured.npy")); }, "structured array");
  expect_error<FormatError>([] { read_npy(data_file("text.npy")); }, "received \"<U2\"");
  expect_refused("{'descr': '<u4', 'fortran_order': False, 'shape': (1,), }", "\"<u4\"");
  expect_refused("{'descr': '', 'fortran_order': False, 'shape': (1,), }", "expected one of");
}

TEST(Npy, RejectsHeadersWithoutTheThreeKeys) {
  expect_refused("", "\"{\"");
  expect_refused("{}", "received \"fewer\"");
  expect_refused("{'descr': '<f4', 'fortran_order': False}", "received \"fewer\"");
  expect_refused("{'descr': '<f4', 'descr': '<f4'}", "once each");
  expect_refused("{'descr': '<f4', 'x': 1}", "once each");
  expect_refused("{'descr': '<f4, 'fortran_order'", "");
  expect_refused("{'descr': '<f4", "a closing quote");
  expect_refused("{'descr' '<f4'}", "\":\"");
  expect_refused("{'fortran_order': 0}", "False");
  expect_refused("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x", "nothing after");
}

TEST(Npy, RejectsWrongShapes) {
  const auto refused = [](const std::string& shape, std::string_view part) {
    expect_refused("{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }", part);
  };
  refused("(2,)", "expected 2 elements of f32 for shape [2], received 4 bytes");
  refused("(0,)", "received 4 bytes");
  refused("(-1,)", "expected sizes >= 0");
  refused("(4294967296, 4294967296)", "2^63");
  refused("(4611686018427387905,)", "size");
  refused("(99999999999999999999,)", "a size in the shape");
  refused("(1.5,)", "\")\"");
  refused("(,)", "a size in the shape");
  refused("1", "\"(\"");
  refused("(1", "a size in the shape");
  refused("(1 2)", "\")\"");
  std::string deep = "(";
  for (int i = 0; i < 65; ++i) deep += "1,";
  refused(deep + ")", "64 dimensions");
}

TEST(Npy, RejectsOtherFilesAndVersions) {
  expect_error<FormatError>([] { decode(bytes_of("PK\x03\x04")); }, "NUMPY");
  Bytes file = read_bytes(data_file("f4.npy"));
  file[6] = std::byte{4};
  expect_error<FormatError>([&] { decode(file); }, "expected 1, 2 or 3, received 4");
  file = read_bytes(data_file("version2.npy"));
  file[11] = std::byte{0xff};
  expect_error<FormatError>([&] { decode(file); }, "received a length of");
}

TEST(Npy, RejectsEveryTruncationAndTrailingBytes) {
  for (const char* name : {"f4.npy", "fortran_f8.npy", "version3.npy"}) {
    Bytes file = read_bytes(data_file(name));
    expect_no_prefix_is_read(file, decode);
    file.push_back(std::byte{0});
    expect_error<FormatError>([&] { decode(file); }, "received");
  }
}

TEST(Npy, WritingRejectsWhatNumPyCannotHold) {
  const TemporaryFolder folder;
  const Array bf16{DType::bf16, {1}, Bytes(2)};
  const Array deep{DType::u8, Shape(65, 1), Bytes(1)};
  const Array wrong{DType::u8, {2}, Bytes(1)};
  expect_error<ConfigError>([&] { write_npy(folder / "x", bf16.view()); }, "bf16");
  expect_error<ConfigError>([&] { write_npy(folder / "x", deep.view()); }, "64 dimensions");
  expect_error<FormatError>([&] { write_npy(folder / "x", wrong.view()); }, "received 1 bytes");
  EXPECT_EQ(folder.files(), 0);
}

TEST(Npy, SurvivesMutations) {
  for (const char* name : {"f4.npy", "fortran_f8.npy", "version2.npy"}) {
    expect_mutations_survived(read_bytes(data_file(name)), 3000, [](Bytes bytes) {
      require_consistent(decode(std::move(bytes)).view(), "mutation");
    });
  }
}

}  // namespace
}  // namespace halfstep::io
