// The loops of group_norm.
//
// They process an image in chunks of positions that fit the L1 cache, and a chunk in vectors of
// channels. Every channel has its own lane, so no result depends on the width of a vector.
#ifndef HALFSTEP_NN_KERNELS_GROUP_NORM_LOOPS_H_
#define HALFSTEP_NN_KERNELS_GROUP_NORM_LOOPS_H_

#include "halfstep/nn/kernels/cpu.h"
#include "halfstep/nn/kernels/vector.h"

namespace halfstep::cpu {
namespace {
namespace group_norm {

inline constexpr int64_t kChunk = 32;  // positions; 256 channels of float32 are 32 KiB

// Calls body(first position, number of positions) for each chunk.
template <class Body>
void for_each_chunk(int64_t positions, Body body) {
  for (int64_t p = 0; p < positions; p += kChunk) {
    body(p, p + kChunk <= positions ? kChunk : positions - p);
  }
}

// Computes mean and sum of squared deviations of each channel. Within a chunk, deviations are taken
// from its first position. Whatever the mean, this increases rounding errors by at most the factor
// kChunk: the position is one of the chunk, so (x_0 - mean)^2 <= sum of (x_p - mean)^2. Chunks are
// combined by Chan's formula.
template <class T>
void channel_moments(const GroupNormSlab& slab, const T* x, float* mean, float* squares) {
  for (int64_t c = 0; c < padded(slab.width); ++c) mean[c] = squares[c] = 0.0f;
  for_each_chunk(slab.positions, [&](int64_t first, int64_t count) {
    const float share = static_cast<float>(count) / static_cast<float>(first + count);
    const float one_over_count = 1.0f / static_cast<float>(count);
    for_each_vector(slab.width, [&](int64_t c, auto in) {
      const T* from = x + first * slab.stride + c;
      const Floats origin = load(from, in);
      Floats sum = {};
      Floats sum_squares = {};
      for (int64_t p = 1; p < count; ++p) {
        const Floats deviation = load(from + p * slab.stride, in) - origin;
        sum += deviation;
        sum_squares += deviation * deviation;
      }
      const Floats offset = sum * one_over_count;
      const Floats chunk_mean = origin + offset;
      const Floats chunk_squares = sum_squares - sum * offset;
      const Floats before = load(mean + c, Whole{});
      const Floats step = chunk_mean - before;
      const Floats between = step * step * (share * static_cast<float>(first));
      store(mean + c, before + step * share, Whole{});
      store(squares + c, load(squares + c, Whole{}) + chunk_squares + between, Whole{});
    });
  });
}

// Computes mean and 1 / sqrt(var + epsilon) of a group from the moments of its channels.
inline void group_moments(const GroupNormSlab& slab, const float* channel_mean,
                          const float* channel_squares, float* mean, float* rstd) {
  const auto channels = static_cast<double>(slab.group_size);
  const auto positions = static_cast<double>(slab.positions);
  double sum = 0.0;
  for (int64_t c = 0; c < slab.group_size; ++c) sum += channel_mean[c];
  const double group_mean = sum / channels;
  double squares = 0.0;
  for (int64_t c = 0; c < slab.group_size; ++c) {
    const double deviation = channel_mean[c] - group_mean;
    squares += channel_squares[c] + positions * deviation * deviation;
  }
  *mean = static_cast<float>(group_mean);
  *rstd = static_cast<float>(1.0 / __builtin_sqrt(squares / (channels * positions) + slab.epsilon));
}

// The normalization of each channel as a linear function, u = (x - centre) slope + offset. (In the
// form a x + b, digits would cancel if the mean is much larger than the deviation.)
struct Lines {
  float* centre;
  float* slope;
  float* offset;
};

inline void make_lines(const GroupNormSlab& slab, const float* scale, const float* shift,
                       const float* mean, const float* rstd, const Lines& lines) {
  for (int64_t c = 0; c < slab.width; ++c) {
    const int64_t g = c / slab.group_size;
    lines.centre[c] = mean[g];
    lines.slope[c] = rstd[g] * scale[c];
    lines.offset[c] = shift[c];
  }
}

template <class T>
void forward(const GroupNormSlab& slab, const T* x, const float* scale, const float* shift, T* y,
             float* mean, float* rstd, float* scratch) {
  const int64_t width = padded(slab.width);
  float* channel_mean = scratch;
  float* channel_squares = scratch + width;
  channel_moments(slab, x, channel_mean, channel_squares);
  for (int64_t g = 0; g * slab.group_size < slab.width; ++g) {
    const int64_t c = g * slab.group_size;
    group_moments(slab, channel_mean + c, channel_squares + c, mean + g, rstd + g);
  }
  const Lines lines{scratch, scratch + width, scratch + 2 * width};
  make_lines(slab, scale, shift, mean, rstd, lines);
  const auto apply = [&](auto activation) {
    for_each_chunk(slab.positions, [&](int64_t first, int64_t count) {
      for_each_vector(slab.width, [&](int64_t c, auto in) {
        const Floats centre = load(lines.centre + c, Whole{});
        const Floats slope = load(lines.slope + c, Whole{});
        const Floats offset = load(lines.offset + c, Whole{});
        for (int64_t p = first; p < first + count; ++p) {
          const int64_t i = p * slab.stride + c;
          store(y + i, activation((load(x + i, in) - centre) * slope + offset), in);
        }
      });
    });
  };
  if (slab.silu) {
    apply([](Floats u) { return u * sigmoid(u); });
  } else {
    apply([](Floats u) { return u; });
  }
}

// The backward pass. With n = (x - mean) rstd, u = scale n + shift, y = act(u) and du = act'(u) dy:
//   dshift = sum of du,  dscale = sum of du n,  over the positions
//   dx = rstd (scale du - M1 - n M2),  M1, M2 the group's means of scale du and of scale du n
//      = slope du + k (x - mean) + l,  k = -rstd^2 M2,  l = -rstd M1
//
// The first pass sums du and du (x - mean) for each channel. With SiLU, it stores du and overwrites
// dy with y.
template <class T>
void sum_gradients(const GroupNormSlab& slab, T* dy_then_y, const T* x, const Lines& lines,
                   float* du, int64_t du_stride, float* sum_du, float* sum_du_x) {
  for (int64_t c = 0; c < padded(slab.width); ++c) sum_du[c] = sum_du_x[c] = 0.0f;
  for_each_chunk(slab.positions, [&](int64_t first, int64_t count) {
    for_each_vector(slab.width, [&](int64_t c, auto in) {
      const Floats centre = load(lines.centre + c, Whole{});
      const Floats slope = load(lines.slope + c, Whole{});
      const Floats offset = load(lines.offset + c, Whole{});
      Floats sum = {};
      Floats sum_x = {};
      for (int64_t p = first; p < first + count; ++p) {
        const Floats from_mean = load(x + p * slab.stride + c, in) - centre;
        Floats du_p = load(dy_then_y + p * slab.stride + c, in);
        if (slab.silu) {
          const Floats u = from_mean * slope + offset;
          const Floats s = sigmoid(u);
          const Floats y = u * s;
          du_p *= s + y * (1.0f - s);
          store(dy_then_y + p * slab.stride + c, y, in);
          store(du + p * du_stride + c, du_p, in);
        }
        sum += du_p;
        sum_x += du_p * from_mean;
      }
      store(sum_du + c, load(sum_du + c, Whole{}) + sum, Whole{});
      store(sum_du_x + c, load(sum_du_x + c, Whole{}) + sum_x, Whole{});
    });
  });
}

// Computes dscale, dshift and k and l of each channel from the sums; k and l may share the memory
// of the sums.
inline void group_gradients(const GroupNormSlab& slab, const float* sum_du, const float* sum_du_x,
                            const float* scale, const float* rstd, float* dscale, float* dshift,
                            float* k, float* l) {
  for (int64_t g = 0; g * slab.group_size < slab.width; ++g) {
    double m1 = 0.0;
    double m2 = 0.0;
    const int64_t begin = g * slab.group_size;
    for (int64_t c = begin; c < begin + slab.group_size; ++c) {
      dshift[c] = sum_du[c];
      dscale[c] = sum_du_x[c] * rstd[g];
      m1 += static_cast<double>(scale[c]) * dshift[c];
      m2 += static_cast<double>(scale[c]) * dscale[c];
    }
    const auto elements = static_cast<double>(slab.group_size * slab.positions);
    const double k_g = -m2 / elements * rstd[g] * rstd[g];
    const double l_g = -m1 / elements * rstd[g];
    for (int64_t c = begin; c < begin + slab.group_size; ++c) {
      k[c] = static_cast<float>(k_g);
      l[c] = static_cast<float>(l_g);
    }
  }
}

// The second pass computes dx. du may share the memory of dx; if du is dy itself, it is overwritten
// with y.
template <class T, class Du>
void apply_gradients(const GroupNormSlab& slab, Du* du, int64_t du_stride, const T* x,
                     const Lines& lines, const float* k, const float* l, const T* add, T* dx) {
  for_each_chunk(slab.positions, [&](int64_t first, int64_t count) {
    for_each_vector(slab.width, [&](int64_t c, auto in) {
      const Floats centre = load(lines.centre + c, Whole{});
      const Floats slope = load(lines.slope + c, Whole{});
      const Floats offset = load(lines.offset + c, Whole{});
      const Floats k_c = load(k + c, Whole{});
      const Floats l_c = load(l + c, Whole{});
      for (int64_t p = first; p < first + count; ++p) {
        const Floats du_p = load(du + p * du_stride + c, in);
        const int64_t i = p * slab.stride + c;
        const Floats from_mean = load(x + i, in) - centre;
        Floats dx_p = slope * du_p + (k_c * from_mean + l_c);
        if (add != nullptr) dx_p += load(add + i, in);
        if (!slab.silu) store(du + p * du_stride + c, from_mean * slope + offset, in);
        store(dx + i, dx_p, in);
      }
    });
  });
}

template <class T>
void backward(const GroupNormSlab& slab, T* dy_then_y, const T* x, const float* scale,
              const float* shift, const float* mean, const float* rstd, const T* add, T* dx,
              float* dscale, float* dshift, float* scratch) {
  const int64_t width = padded(slab.width);
  const Lines lines{scratch, scratch + width, scratch + 2 * width};
  float* sum_du = scratch + 3 * width;
  float* sum_du_x = scratch + 4 * width;
  // Stores du of all positions, so that the sigmoid is computed once; in dx if that is float32.
  float* du = scratch + 5 * width;
  int64_t du_stride = width;
  if constexpr (sizeof(T) == sizeof(float)) {
    du = dx;
    du_stride = slab.stride;
  }
  make_lines(slab, scale, shift, mean, rstd, lines);
  sum_gradients(slab, dy_then_y, x, lines, du, du_stride, sum_du, sum_du_x);
  float* k = sum_du;
  float* l = sum_du_x;
  group_gradients(slab, sum_du, sum_du_x, scale, rstd, dscale, dshift, k, l);
  if (slab.silu) {
    apply_gradients(slab, du, du_stride, x, lines, k, l, add, dx);
  } else {
    apply_gradients(slab, dy_then_y, slab.stride, x, lines, k, l, add, dx);
  }
}

}  // namespace group_norm
}  // namespace
}  // namespace halfstep::cpu

#endif  // HALFSTEP_NN_KERNELS_GROUP_NORM_LOOPS_H_
