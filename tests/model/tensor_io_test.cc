#include "halfstep/model/tensor_io.h"

#include <gtest/gtest.h>

#include "halfstep/core/error.h"
#include "tests/support/random_tensors.h"

namespace halfstep {
namespace {

TEST(TensorIo, EveryElementTypeRoundTripIsBitExact) {
  const Tensor values = test::random_normal({2, 3, 4}, 1) * 50.0;
  for (const at::ScalarType type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong,
                                    at::kInt, at::kShort, at::kChar, at::kBool}) {
    const Tensor tensor = values.to(type);
    const io::Array array = to_array(tensor);
    const Tensor back = to_tensor(array.view());
    EXPECT_EQ(back.scalar_type(), type);
    EXPECT_TRUE(at::equal(back, tensor)) << at::toString(type);
  }
  const Tensor bytes = values.abs().to(at::kByte);
  EXPECT_TRUE(at::equal(to_tensor(to_array(bytes).view()), bytes));
}

TEST(TensorIo, AnyMemoryLayoutIsWrittenInCOrder) {
  const Tensor tensor = test::random_normal({2, 3, 4, 5}, 1, at::kFloat);
  const io::Array plain = to_array(tensor);
  EXPECT_EQ(to_array(tensor.contiguous(at::MemoryFormat::ChannelsLast)).bytes, plain.bytes);
  EXPECT_EQ(plain.shape, (std::vector<int64_t>{2, 3, 4, 5}));
  EXPECT_TRUE(at::equal(to_tensor(to_array(tensor.permute({3, 2, 1, 0})).view()),
                        tensor.permute({3, 2, 1, 0})));
}

TEST(TensorIo, ScalarsAndEmptyTensorsKeepTheirShape) {
  EXPECT_EQ(to_tensor(to_array(at::ones({})).view()).sizes(), at::IntArrayRef({}));
  EXPECT_EQ(to_tensor(to_array(at::ones({0, 3})).view()).sizes(), at::IntArrayRef({0, 3}));
}

TEST(TensorIo, TensorsAreCopies) {
  const Tensor tensor = at::ones({3}).requires_grad_();
  io::Array array = to_array(tensor);
  const Tensor back = to_tensor(array.view());
  array.bytes.assign(array.bytes.size(), std::byte{0});
  EXPECT_TRUE(at::equal(back, at::ones({3})));
  EXPECT_FALSE(back.requires_grad());
}

TEST(TensorIo, UnsupportedElementTypesAreRefused) {
  EXPECT_THROW(to_array(at::ones({2}, at::kComplexFloat)), ConfigError);
  const std::vector<std::byte> bytes(7);
  EXPECT_THROW(to_tensor({.dtype = io::DType::f32, .shape = {2}, .bytes = bytes}), FormatError);
}

}  // namespace
}  // namespace halfstep
