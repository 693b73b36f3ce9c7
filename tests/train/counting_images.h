// Batches of images as a loader returns them.
#ifndef HALFSTEP_TESTS_TRAIN_COUNTING_IMAGES_H_
#define HALFSTEP_TESTS_TRAIN_COUNTING_IMAGES_H_

#include <cstdint>
#include <numeric>

#include "halfstep/data/loader.h"

namespace halfstep::test {

inline constexpr int64_t kClasses = 3;

// Returns images of 1 x size x size with different pixels and labels i mod kClasses.
inline data::ExampleBatch images(int64_t count, int64_t size = 8, uint64_t update = 7) {
  data::ExampleBatch batch{.update = update, .batch_size = count, .count = count};
  batch.bytes.resize(static_cast<size_t>(count * size * size));
  std::iota(batch.bytes.begin(), batch.bytes.end(), uint8_t{0});
  for (int64_t i = 0; i < count; ++i) batch.labels.push_back(static_cast<int32_t>(i % kClasses));
  return batch;
}

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_TRAIN_COUNTING_IMAGES_H_
