// The images of the CPU kernels: dense, channels-last, float32 or bfloat16.
#ifndef HALFSTEP_NN_KERNELS_IMAGES_H_
#define HALFSTEP_NN_KERNELS_IMAGES_H_

#include <cstdint>

#include "halfstep/core/tensor.h"

namespace halfstep {

inline constexpr auto kChannelsLast = at::MemoryFormat::ChannelsLast;

// Returns uninitialized images with the type, device and number of examples of `like`.
inline Tensor empty_images(const Tensor& like, int64_t channels, int64_t height, int64_t width) {
  return at::empty({like.size(0), channels, height, width},
                   like.options().memory_format(kChannelsLast));
}

// Returns the elements of a tensor as T, which may be cpu::BFloat16.
template <class T>
T* data_of(const Tensor& tensor) {
  return static_cast<T*>(tensor.data_ptr());
}

}  // namespace halfstep

#endif  // HALFSTEP_NN_KERNELS_IMAGES_H_
