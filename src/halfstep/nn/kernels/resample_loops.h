// The loops of resample: halving and doubling of images, and their gradients.
#ifndef HALFSTEP_NN_KERNELS_RESAMPLE_LOOPS_H_
#define HALFSTEP_NN_KERNELS_RESAMPLE_LOOPS_H_

#include "halfstep/nn/kernels/cpu.h"
#include "halfstep/nn/kernels/vector.h"

namespace halfstep::cpu {
namespace {
namespace resample {

template <class T>
void sum_blocks(int64_t height, int64_t width, int64_t channels, float factor, const T* wide,
                T* narrow) {
  const int64_t below = 2 * width * channels;
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      const T* block = wide + (4 * y * width + 2 * x) * channels;
      T* to = narrow + (y * width + x) * channels;
      for_each_vector(channels, [&](int64_t c, auto in) {
        const Floats above_sum = load(block + c, in) + load(block + channels + c, in);
        const Floats below_sum =
            load(block + below + c, in) + load(block + below + channels + c, in);
        store(to + c, (above_sum + below_sum) * factor, in);
      });
    }
  }
}

template <class T>
void spread(int64_t height, int64_t width, int64_t channels, float factor, const T* narrow,
            T* wide) {
  const int64_t below = 2 * width * channels;
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      T* block = wide + (4 * y * width + 2 * x) * channels;
      const T* from = narrow + (y * width + x) * channels;
      for_each_vector(channels, [&](int64_t c, auto in) {
        const Floats value = load(from + c, in) * factor;
        store(block + c, value, in);
        store(block + channels + c, value, in);
        store(block + below + c, value, in);
        store(block + below + channels + c, value, in);
      });
    }
  }
}

}  // namespace resample
}  // namespace
}  // namespace halfstep::cpu

#endif  // HALFSTEP_NN_KERNELS_RESAMPLE_LOOPS_H_
