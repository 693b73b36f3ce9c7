#include "halfstep/io/array.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "tests/io/hostile.h"

namespace halfstep::io {
namespace {

TEST(DType, SizesAreThoseOfTheTypes) {
  EXPECT_EQ(size_of(DType::f64), 8u);
  EXPECT_EQ(size_of(DType::i64), 8u);
  EXPECT_EQ(size_of(DType::f32), 4u);
  EXPECT_EQ(size_of(DType::i32), 4u);
  EXPECT_EQ(size_of(DType::f16), 2u);
  EXPECT_EQ(size_of(DType::bf16), 2u);
  EXPECT_EQ(size_of(DType::i16), 2u);
  EXPECT_EQ(size_of(DType::i8), 1u);
  EXPECT_EQ(size_of(DType::u8), 1u);
  EXPECT_EQ(size_of(DType::boolean), 1u);
}

TEST(DType, NamesAreTheEnumerators) {
  EXPECT_EQ(name_of(DType::bf16), "bf16");
  EXPECT_EQ(name_of(DType::boolean), "boolean");
}

TEST(ElementCount, IsTheProductAndOneForScalars) {
  EXPECT_EQ(element_count(std::vector<std::int64_t>{}), 1);
  EXPECT_EQ(element_count(std::vector<std::int64_t>{2, 3, 4}), 24);
  EXPECT_EQ(element_count(std::vector<std::int64_t>{2, 0, 4}), 0);
}

TEST(ElementCount, RejectsNegativeSizesAndOverflowEvenWithZeroSizes) {
  const std::int64_t big = std::int64_t{1} << 32;
  expect_error<FormatError>(
      [] {
        element_count(std::vector<std::int64_t>{2, -1}, "here");
      },
      "[here] shape: expected sizes >= 0, received [2, -1]");
  expect_error<FormatError>([&] { element_count(std::vector<std::int64_t>{big, big}); }, "2^63");
  expect_error<FormatError>([&] { element_count(std::vector<std::int64_t>{0, big, big}); }, "2^63");
}

TEST(Array, TypedAccessReturnsTheValues) {
  const std::array<float, 4> values = {1, 2, 3, 4};
  const Array array = make_array<float>({2, 2}, values);
  EXPECT_EQ(array.dtype, DType::f32);
  EXPECT_EQ(array.count(), 4);
  EXPECT_TRUE(std::ranges::equal(array.as<float>(), values));
  EXPECT_TRUE(std::ranges::equal(array.view().as<float>(), values));
}

TEST(Array, TypedAccessRejectsOtherTypes) {
  const Array array = make_array<std::int64_t>({1}, std::array<std::int64_t, 1>{5});
  expect_error<FormatError>([&] { (void)array.as<float>(); }, "expected f32, received i64");
}

TEST(Array, BitsOfHalvesAndBooleansAreReadable) {
  const Array bf16{DType::bf16, {1}, Bytes(2)};
  const Array f16{DType::f16, {1}, Bytes(2)};
  const Array boolean{DType::boolean, {3}, Bytes(3)};
  EXPECT_EQ(bf16.as<std::uint16_t>().size(), 1u);
  EXPECT_EQ(f16.as<std::uint16_t>().size(), 1u);
  EXPECT_EQ(boolean.as<std::uint8_t>().size(), 3u);
  expect_error<FormatError>([&] { (void)boolean.as<std::int8_t>(); }, "received boolean");
}

TEST(Array, TypedAccessRejectsAWrongNumberOfBytes) {
  const Array array{DType::f32, {3}, Bytes(8)};
  expect_error<FormatError>([&] { (void)array.as<float>(); }, "received 8 bytes");
}

TEST(Array, TypedAccessRejectsMisalignedData) {
  alignas(8) std::array<std::byte, 12> storage = {};
  const ArrayView view{DType::f32, {2}, std::span(storage).subspan(1, 8)};
  expect_error<FormatError>([&] { (void)view.as<float>(); }, "alignment");
}

TEST(Array, SizeInBytesMayNotOverflow) {
  const ArrayView view{DType::f64, {std::int64_t{1} << 61}, {}};
  expect_error<FormatError>([&] { require_consistent(view, "here"); }, "[here] size");
}

TEST(Array, MakeArrayChecksTheShape) {
  expect_error<FormatError>([] { make_array<float>({3}, std::array<float, 2>{}); }, "make_array");
}

TEST(Array, LongShapesAreShortenedInMessages) {
  EXPECT_EQ(to_string(std::vector<std::int64_t>{1, 2}), "[1, 2]");
  EXPECT_TRUE(to_string(std::vector<std::int64_t>(100, 1)).ends_with("1, ...]"));
}

}  // namespace
}  // namespace halfstep::io
