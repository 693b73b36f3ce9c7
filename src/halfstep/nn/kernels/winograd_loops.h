// The loops of winograd: 3 x 3 convolutions with 16 products per tile of 2 x 2 outputs.
#ifndef HALFSTEP_NN_KERNELS_WINOGRAD_LOOPS_H_
#define HALFSTEP_NN_KERNELS_WINOGRAD_LOOPS_H_

#include "halfstep/nn/kernels/cpu.h"
#include "halfstep/nn/kernels/product_loops.h"
#include "halfstep/nn/kernels/vector.h"

namespace halfstep::cpu {
namespace {
namespace winograd {

// The number of tiles processed at a time, few enough for the L2 cache; more for the gradient of
// the kernel, whose products sum over the tiles.
inline constexpr int64_t kTiles = 4 * kTileRows;
inline constexpr int64_t kGradientTiles = 2 * kTiles;

// A piece of an image, a kernel or their products, with a vector of channels per element.
template <int kRows, int kColumns = kRows>
struct Piece {
  Floats at[kRows][kColumns];
};

// ---- the transforms, of each column -----------------------------------------------------------

// B^T d
template <int n>
Piece<4, n> input_columns(const Piece<4, n>& d) {
  Piece<4, n> t;
#pragma GCC unroll 16
  for (int j = 0; j < n; ++j) {
    t.at[0][j] = d.at[0][j] - d.at[2][j];
    t.at[1][j] = d.at[1][j] + d.at[2][j];
    t.at[2][j] = d.at[2][j] - d.at[1][j];
    t.at[3][j] = d.at[1][j] - d.at[3][j];
  }
  return t;
}

// A^T m
template <int n>
Piece<2, n> output_columns(const Piece<4, n>& m) {
  Piece<2, n> t;
#pragma GCC unroll 16
  for (int j = 0; j < n; ++j) {
    t.at[0][j] = m.at[0][j] + m.at[1][j] + m.at[2][j];
    t.at[1][j] = m.at[1][j] - m.at[2][j] - m.at[3][j];
  }
  return t;
}

// A d
template <int n>
Piece<4, n> output_gradient_columns(const Piece<2, n>& d) {
  Piece<4, n> t;
#pragma GCC unroll 16
  for (int j = 0; j < n; ++j) {
    t.at[0][j] = d.at[0][j];
    t.at[1][j] = d.at[0][j] + d.at[1][j];
    t.at[2][j] = d.at[0][j] - d.at[1][j];
    t.at[3][j] = -d.at[1][j];
  }
  return t;
}

// G g
template <int n>
Piece<4, n> kernel_columns(const Piece<3, n>& g) {
  Piece<4, n> t;
#pragma GCC unroll 16
  for (int j = 0; j < n; ++j) {
    const Floats outer = 0.5f * (g.at[0][j] + g.at[2][j]);
    const Floats inner = 0.5f * g.at[1][j];
    t.at[0][j] = g.at[0][j];
    t.at[1][j] = outer + inner;
    t.at[2][j] = outer - inner;
    t.at[3][j] = g.at[2][j];
  }
  return t;
}

// G^T u
template <int n>
Piece<3, n> kernel_gradient_columns(const Piece<4, n>& u) {
  Piece<3, n> t;
#pragma GCC unroll 16
  for (int j = 0; j < n; ++j) {
    const Floats outer = 0.5f * (u.at[1][j] + u.at[2][j]);
    t.at[0][j] = u.at[0][j] + outer;
    t.at[1][j] = 0.5f * (u.at[1][j] - u.at[2][j]);
    t.at[2][j] = u.at[3][j] + outer;
  }
  return t;
}

template <int kRows, int kColumns>
Piece<kColumns, kRows> transposed(const Piece<kRows, kColumns>& piece) {
  Piece<kColumns, kRows> t;
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 16
    for (int j = 0; j < kColumns; ++j) t.at[j][i] = piece.at[i][j];
  }
  return t;
}

// ---- tiles ------------------------------------------------------------------------------------

struct Tile {
  int64_t image;
  int64_t y, x;  // of its first output
};

inline Tile tile_at(const WinogradShape& shape, int64_t index) {
  const int64_t in_image = index % tiles(shape);
  const int64_t columns = (shape.width + 1) / 2;
  return {index / tiles(shape), in_image / columns * 2, in_image % columns * 2};
}

// Returns n x n pixels of an image [height, width, channels] from (y, x) and channel c on, with
// zeros outside the image.
template <int n>
[[gnu::always_inline]] inline Piece<n> pixels(const WinogradShape& shape, const float* image,
                                              int64_t channels, int64_t y, int64_t x, int64_t c) {
  const float* const from = image + (y * shape.width + x) * channels + c;
  const auto at = [&](int i, int j) {
    return load(from + (i * shape.width + j) * channels, Whole{});
  };
  Piece<n> d;
  if (y >= 0 && x >= 0 && y + n <= shape.height && x + n <= shape.width) {
#pragma GCC unroll 16
    for (int i = 0; i < n; ++i) {
#pragma GCC unroll 16
      for (int j = 0; j < n; ++j) d.at[i][j] = at(i, j);
    }
    return d;
  }
#pragma GCC unroll 16
  for (int i = 0; i < n; ++i) {
#pragma GCC unroll 16
    for (int j = 0; j < n; ++j) {
      const bool there = y + i >= 0 && y + i < shape.height && x + j >= 0 && x + j < shape.width;
      d.at[i][j] = there ? at(i, j) : Floats{};
    }
  }
  return d;
}

// Computes v = B^T d B of each tile, the left operands [16, count, in].
inline void transform_input(const WinogradShape& shape, int64_t first, int64_t count,
                            const float* x, float* v) {
  const int64_t product = count * shape.in;
  for (int64_t k = 0; k < count; ++k) {
    const Tile tile = tile_at(shape, first + k);
    const float* image = x + tile.image * shape.height * shape.width * shape.in;
    for (int64_t c = 0; c < shape.in; c += kLanes) {
      const Piece<4> d = pixels<4>(shape, image, shape.in, tile.y - 1, tile.x - 1, c);
      const Piece<4> t = transposed(input_columns(transposed(input_columns(d))));
#pragma GCC unroll 16
      for (int i = 0; i < 4; ++i) {
#pragma GCC unroll 16
        for (int j = 0; j < 4; ++j)
          store(v + (4 * i + j) * product + k * shape.in + c, t.at[i][j], Whole{});
      }
    }
  }
}

// Computes y = A^T m A + bias of each tile from the products [16, count, out].
inline void transform_output(const WinogradShape& shape, int64_t first, int64_t count,
                             const float* m, const float* bias, float* y) {
  const int64_t product = count * shape.out;
  for (int64_t k = 0; k < count; ++k) {
    const Tile tile = tile_at(shape, first + k);
    float* to = y + ((tile.image * shape.height + tile.y) * shape.width + tile.x) * shape.out;
    const bool below = tile.y + 1 < shape.height;
    const bool right = tile.x + 1 < shape.width;
    for (int64_t c = 0; c < shape.out; c += kLanes) {
      Piece<4> sums;
#pragma GCC unroll 16
      for (int i = 0; i < 4; ++i) {
#pragma GCC unroll 16
        for (int j = 0; j < 4; ++j)
          sums.at[i][j] = load(m + (4 * i + j) * product + k * shape.out + c, Whole{});
      }
      const Piece<2> t = transposed(output_columns(transposed(output_columns(sums))));
      const Floats b = bias != nullptr ? load(bias + c, Whole{}) : Floats{};
      const int64_t row = shape.width * shape.out;
      store(to + c, t.at[0][0] + b, Whole{});
      if (right) store(to + shape.out + c, t.at[0][1] + b, Whole{});
      if (below) store(to + row + c, t.at[1][0] + b, Whole{});
      if (below && right) store(to + row + shape.out + c, t.at[1][1] + b, Whole{});
    }
  }
}

// ---- the loops of the table -------------------------------------------------------------------

inline void kernel(int64_t in, int64_t out, const float* g, uint32_t* u) {
  const Panels panels{in, out};
  for (int64_t i = 0; i < in; ++i) {
    for (int64_t c = 0; c < out; c += kLanes) {
      Piece<3> piece;
#pragma GCC unroll 16
      for (int p = 0; p < 9; ++p)
        piece.at[p / 3][p % 3] = load(g + (p * in + i) * out + c, Whole{});
      const Piece<4> t = transposed(kernel_columns(transposed(kernel_columns(piece))));
#pragma GCC unroll 16
      for (int p = 0; p < 16; ++p) {
        uint32_t* to = u + p * panels.size() + panels.at(i, c);
        __builtin_memcpy(to, &t.at[p / 4][p % 4], sizeof(Floats));
      }
    }
  }
}

inline void forward(const WinogradShape& shape, int64_t first, int64_t count, const float* x,
                    const uint32_t* u, const float* bias, float* y, float* scratch) {
  const Panels panels{shape.in, shape.out};
  for (const int64_t end = first + count; first < end; first += kTiles) {
    const int64_t size = end - first < kTiles ? end - first : kTiles;
    float* const v = scratch;
    float* const m = scratch + 16 * size * shape.in;
    transform_input(shape, first, size, x, v);
    for (int p = 0; p < 16; ++p) {
      multiply<float>(size, panels, rows_of(v + p * size * shape.in, shape.in),
                      u + p * panels.size(), m + p * size * shape.out, shape.out);
    }
    transform_output(shape, first, size, m, bias, y);
  }
}

// Computes dm = A dy A^T of each tile, the 16 right operands of the products that sum over the
// tiles.
inline void transform_output_gradient(const WinogradShape& shape, int64_t first, int64_t count,
                                      const float* dy, uint32_t* dm) {
  const Panels panels{count, shape.out};
  for (int64_t k = 0; k < count; ++k) {
    const Tile tile = tile_at(shape, first + k);
    const float* image = dy + tile.image * shape.height * shape.width * shape.out;
    for (int64_t c = 0; c < shape.out; c += kLanes) {
      const Piece<2> d = pixels<2>(shape, image, shape.out, tile.y, tile.x, c);
      const Piece<4> t =
          transposed(output_gradient_columns(transposed(output_gradient_columns(d))));
#pragma GCC unroll 16
      for (int p = 0; p < 16; ++p) {
        uint32_t* to = dm + p * panels.size() + panels.at(k, c);
        __builtin_memcpy(to, &t.at[p / 4][p % 4], sizeof(Floats));
      }
    }
  }
}

inline void add_products(const WinogradShape& shape, int64_t first, int64_t count, const float* x,
                         const float* dy, float* du, float* scratch) {
  for (const int64_t end = first + count; first < end; first += kGradientTiles) {
    const int64_t size = end - first < kGradientTiles ? end - first : kGradientTiles;
    float* const v = scratch;
    auto* const dm = reinterpret_cast<uint32_t*>(scratch + 16 * size * shape.in);
    transform_input(shape, first, size, x, v);
    transform_output_gradient(shape, first, size, dy, dm);
    const Panels panels{size, shape.out};
    for (int p = 0; p < 16; ++p) {
      const Left channels{reinterpret_cast<const uint32_t*>(v + p * size * shape.in), 1, shape.in};
      multiply<float>(shape.in, panels, channels, dm + p * panels.size(),
                      du + p * shape.in * shape.out, shape.out, /*add=*/true);
    }
  }
}

inline void kernel_gradient(int64_t in, int64_t out, const float* du, float* dg) {
  for (int64_t i = 0; i < in; ++i) {
    for (int64_t c = 0; c < out; c += kLanes) {
      Piece<4> piece;
#pragma GCC unroll 16
      for (int p = 0; p < 16; ++p)
        piece.at[p / 4][p % 4] = load(du + (p * in + i) * out + c, Whole{});
      const Piece<3> t =
          transposed(kernel_gradient_columns(transposed(kernel_gradient_columns(piece))));
#pragma GCC unroll 16
      for (int p = 0; p < 9; ++p) store(dg + (p * in + i) * out + c, t.at[p / 3][p % 3], Whole{});
    }
  }
}

inline int64_t scratch_floats(const WinogradShape& shape) {
  return 16 * kGradientTiles * (shape.in + shape.out);
}

inline constexpr WinogradLoops kLoops = {kernel, forward, add_products, kernel_gradient,
                                         scratch_floats};

}  // namespace winograd
}  // namespace
}  // namespace halfstep::cpu

#endif  // HALFSTEP_NN_KERNELS_WINOGRAD_LOOPS_H_
