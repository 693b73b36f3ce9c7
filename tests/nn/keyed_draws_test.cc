#include "halfstep/nn/keyed_draws.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <vector>

namespace halfstep {
namespace {

const RandomKey kFirstKey = {.seed = 0x123456789ABCDEF0,
                             .purpose = Purpose::noise,
                             .index = 0x100000007,
                             .example = 5,
                             .site = 9};

Tensor rows_of(RandomKey key, int64_t batch, int64_t elements,
               void (*fill)(const RandomKey&, std::span<float>, uint64_t)) {
  Tensor rows = at::empty({batch, elements});
  for (int64_t i = 0; i < batch; ++i, ++key.example)
    fill(key, {rows[i].data_ptr<float>(), static_cast<size_t>(elements)}, 0);
  return rows;
}

// Element counts that are not a multiple of a block, and enough numbers for every branch of the
// transforms.
const std::vector<std::vector<int64_t>> kShapes = {{1, 1}, {3, 5, 7}, {2, 3, 8, 8}, {4, 50'001}};

TEST(KeyedDraws, HaveTheBitsOfTheHostsOnAnyDevice) {
  for (const std::vector<int64_t>& shape : kShapes) {
    SCOPED_TRACE(at::IntArrayRef(shape));
    const int64_t elements = c10::multiply_integers(shape) / shape[0];
    const Tensor normal = rows_of(kFirstKey, shape[0], elements, &fill_normal).reshape(shape);
    EXPECT_TRUE(at::equal(keyed_normal({kFirstKey}, shape, at::kCPU), normal));
    EXPECT_TRUE(at::equal(keyed_normal_plain(key_words(kFirstKey), shape), normal));
    const Tensor uniform = rows_of(kFirstKey, shape[0], elements, &fill_uniform).reshape(shape);
    EXPECT_TRUE(at::equal(keyed_uniform({kFirstKey}, shape, at::kCPU), uniform));
    EXPECT_TRUE(at::equal(keyed_uniform_plain(key_words(kFirstKey), shape), uniform));
  }
}

TEST(KeyedDraws, CountExamplesModulo32Bits) {
  RandomKey last = kFirstKey;
  last.example = std::numeric_limits<uint32_t>::max();
  const Tensor expected = rows_of(last, 2, 8, &fill_normal);
  EXPECT_TRUE(at::equal(keyed_normal_plain(key_words(last), {2, 8}), expected));
}

}  // namespace
}  // namespace halfstep
