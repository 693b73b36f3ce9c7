// The loops of group_norm on the CPU, compiled once an instruction set. LibTorch-free.
#ifndef HALFSTEP_NN_KERNELS_GROUP_NORM_CPU_H_
#define HALFSTEP_NN_KERNELS_GROUP_NORM_CPU_H_

#include <cstdint>

namespace halfstep::cpu {

struct BFloat16 {
  uint16_t bits;
};

// Some whole groups of one example: what one call works on.
struct GroupNormSlab {
  int64_t positions;   // H * W
  int64_t stride;      // from one position to the next: all channels of the example
  int64_t width;       // channels of the slab
  int64_t group_size;  // channels of a group; divides width
  double epsilon;
  bool silu;
};

// Images are [positions, stride], of which the first `width` channels are touched; scale, shift and
// their gradients [width]; mean and rstd (1 / sqrt(var + epsilon)) one number a group; all begin at
// the slab. `scratch` has scratch_floats(slab) floats.
template <class T>
struct GroupNormLoops {
  void (*forward)(const GroupNormSlab& slab, const T* x, const float* scale, const float* shift,
                  T* y, float* mean, float* rstd, float* scratch);
  void (*backward)(const GroupNormSlab& slab, const T* dy, const T* x, const float* scale,
                   const float* shift, const float* mean, const float* rstd, T* dx, float* dscale,
                   float* dshift, float* scratch);
};

struct GroupNormKernels {
  GroupNormLoops<float> float32;
  GroupNormLoops<BFloat16> bfloat16;
};

extern const GroupNormKernels kGroupNormBaseline;
#if defined(__x86_64__)
extern const GroupNormKernels kGroupNormAvx2;    // and FMA
extern const GroupNormKernels kGroupNormAvx512;  // F, BW, DQ, VL
#endif

// Arrays with one float a channel are read in whole vectors, of 16 floats at most. (static: each
// instruction set has its own copy, see group_norm_vector.h.)
static inline int64_t padded(int64_t channels) { return (channels + 15) / 16 * 16; }

// Five arrays with one float a channel, and for the backward pass one the size of the slab.
static inline int64_t scratch_floats(const GroupNormSlab& slab, bool backward) {
  return padded(slab.width) * (5 + (backward && slab.silu ? slab.positions : 0));
}

}  // namespace halfstep::cpu

#endif  // HALFSTEP_NN_KERNELS_GROUP_NORM_CPU_H_
