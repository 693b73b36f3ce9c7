// The loops of the CPU kernels, compiled once per instruction set. LibTorch-free.
#ifndef HALFSTEP_NN_KERNELS_CPU_H_
#define HALFSTEP_NN_KERNELS_CPU_H_

#include <cstdint>

namespace halfstep::cpu {

struct BFloat16 {
  uint16_t bits;
};

// Returns the size of an array with one float per channel, padded because it is read in whole
// vectors of up to 16 floats. (static: each instruction set has its own copy; see vector.h.)
static inline int64_t padded(int64_t lanes) { return (lanes + 15) / 16 * 16; }

// ---- group norm -------------------------------------------------------------------------------

// Several whole groups of one example, the work of one call.
struct GroupNormSlab {
  int64_t positions;   // H * W
  int64_t stride;      // from one position to the next: the number of channels of the example
  int64_t width;       // channels of the slab
  int64_t group_size;  // channels of a group; divides width
  double epsilon;
  bool silu;
};

// Images are [positions, stride], of which the first `width` channels are accessed; scale, shift
// and their gradients are [width]; mean and rstd = 1 / sqrt(var + epsilon) have one number per
// group. All pointers point to the start of the slab. `scratch` has scratch_floats(slab, backward)
// floats.
template <class T>
struct GroupNormLoops {
  void (*forward)(const GroupNormSlab& slab, const T* x, const float* scale, const float* shift,
                  T* y, float* mean, float* rstd, float* scratch);
  // Overwrites dy with y, which the weight gradient of a convolution after the norm needs. Adds
  // `add` to dx unless it is null.
  void (*backward)(const GroupNormSlab& slab, T* dy_then_y, const T* x, const float* scale,
                   const float* shift, const float* mean, const float* rstd, const T* add, T* dx,
                   float* dscale, float* dshift, float* scratch);
};

// Five arrays with one float per channel, and for the backward pass with SiLU one of the size of
// the slab.
static inline int64_t scratch_floats(const GroupNormSlab& slab, bool backward) {
  return padded(slab.width) * (5 + (backward && slab.silu ? slab.positions : 0));
}

// ---- attention --------------------------------------------------------------------------------

// One head of one example. q, k, v and their gradients are [positions, head_dim] with `stride` from
// one position to the next; the output and its gradient have `out_stride`. For bfloat16, head_dim
// and the strides are even and every array begins at an even element.
struct AttentionHead {
  int64_t positions;
  int64_t head_dim;
  int64_t stride;
  int64_t out_stride;
  float scale;  // of q k^T before the softmax
};

template <class T>
struct AttentionLoops {
  // Computes rows [first, first + count) of out = softmax(scale q k^T) v, and of lse, the
  // log-sum-exp of the rows of scale q k^T.
  void (*forward)(const AttentionHead& head, const T* q, const T* k, const T* v, int64_t first,
                  int64_t count, T* out, float* lse, uint32_t* scratch);
  void (*backward)(const AttentionHead& head, const T* q, const T* k, const T* v, const T* out,
                   const float* lse, const T* dout, T* dq, T* dk, T* dv, uint32_t* scratch);
  int64_t (*scratch_words)(const AttentionHead& head, bool backward);
};

// ---- 3 x 3 convolution ------------------------------------------------------------------------

// y [height, width, out] is the 'SAME' convolution of x [height, width, in]; the images of a batch
// are contiguous. in and out are multiples of 16. A tile is a block of 2 x 2 outputs, cut off at
// the right and lower edge; tiles are numbered image by image, row by row.
struct WinogradShape {
  int64_t height;
  int64_t width;
  int64_t in;
  int64_t out;
};

// Returns the number of tiles of an image.
static inline int64_t tiles(const WinogradShape& shape) {
  return (shape.height + 1) / 2 * ((shape.width + 1) / 2);
}

// `scratch` has scratch_floats(shape) floats.
struct WinogradLoops {
  // Transforms the kernel g [3, 3, in, out] into the layout of the products, 16 in out words.
  void (*kernel)(int64_t in, int64_t out, const float* g, uint32_t* u);
  // Computes y for the tiles [first, first + count). bias [out] may be null.
  void (*forward)(const WinogradShape& shape, int64_t first, int64_t count, const float* x,
                  const uint32_t* u, const float* bias, float* y, float* scratch);
  // Adds the contribution of these tiles to du [16, in, out].
  void (*add_products)(const WinogradShape& shape, int64_t first, int64_t count, const float* x,
                       const float* dy, float* du, float* scratch);
  // Computes the gradient of the kernel, dg [3, 3, in, out], from the sum du.
  void (*kernel_gradient)(int64_t in, int64_t out, const float* du, float* dg);
  int64_t (*scratch_floats)(const WinogradShape& shape);
};

// ---- optimizer --------------------------------------------------------------------------------

// One step of Adam with decoupled weight decay, and of the EMA:
//   g = grad_scale gradient
//   m = m + m_rate (g - m);  v = v_keep v + v_rate g^2
//   p = p_keep p - step_size m / (sqrt(v_scale v) + epsilon)
//   ema = p + ema_keep (ema - p)
struct AdamStep {
  float grad_scale = 1.0f;  // clipping
  float m_rate = 0.1f;      // 1 - beta1
  float v_keep = 0.999f;    // beta2
  float v_rate = 0.001f;    // 1 - beta2
  float v_scale = 1.0f;     // 1 / (1 - beta2^t)
  float epsilon = 1e-8f;
  float step_size = 0.0f;  // lr / (1 - beta1^t)
  float p_keep = 1.0f;     // 1 - lr weight_decay
  float ema_keep = 0.0f;   // ema_decay
};

struct OptimizerLoops {
  // Sets the gradient to zero. ema may be null.
  void (*adam)(const AdamStep& step, int64_t count, float* gradient, float* p, float* m, float* v,
               float* ema);
  double (*sum_of_squares)(int64_t count, const float* x);
};

// ---- resampling -------------------------------------------------------------------------------

// Channels-last images: `narrow` [height, width, channels], `wide` [2 height, 2 width, channels].
template <class T>
struct ResampleLoops {
  // Sets narrow = factor * the sum of each 2 x 2 block of wide.
  void (*sum_blocks)(int64_t height, int64_t width, int64_t channels, float factor, const T* wide,
                     T* narrow);
  // Sets each 2 x 2 block of wide to factor * narrow.
  void (*spread)(int64_t height, int64_t width, int64_t channels, float factor, const T* narrow,
                 T* wide);
};

// -----------------------------------------------------------------------------------------------

// The loops over images with elements of type T.
template <class T>
struct ImageKernels {
  GroupNormLoops<T> group_norm;
  AttentionLoops<T> attention;  // null for bfloat16 if the CPU has no instructions for it
  ResampleLoops<T> resample;
};

struct Kernels {
  ImageKernels<float> float32;
  ImageKernels<BFloat16> bfloat16;
  WinogradLoops winograd;
  OptimizerLoops optimizer;
  void (*to_bfloat16)(int64_t count, const float* from, BFloat16* to);
};

// One per InstructionSet.
extern const Kernels kBaseline;
#if defined(__x86_64__)
extern const Kernels kAvx2;
extern const Kernels kAvx512;
extern const Kernels kAvx512Bf16;
#endif

// Return the loops of instruction_set(), all of them or those for elements of type T.
const Kernels& kernels();
template <class T>
const ImageKernels<T>& image_kernels();
template <>
const ImageKernels<float>& image_kernels();
template <>
const ImageKernels<BFloat16>& image_kernels();

}  // namespace halfstep::cpu

#endif  // HALFSTEP_NN_KERNELS_CPU_H_
