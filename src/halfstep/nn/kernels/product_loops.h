// Matrix products whose operands stay in the cache, as those of an attention head.
//
// Both operands are read in 32-bit words along the summed axis: a float, or a pair of neighbouring
// bfloat16, which one instruction multiplies and accumulates in float32.
#ifndef HALFSTEP_NN_KERNELS_PRODUCT_LOOPS_H_
#define HALFSTEP_NN_KERNELS_PRODUCT_LOOPS_H_

#include "halfstep/nn/kernels/cpu.h"
#include "halfstep/nn/kernels/vector.h"

namespace halfstep::cpu {
namespace {

template <class T>
inline constexpr int64_t kPerWord = sizeof(uint32_t) / sizeof(T);

// Returns the number of words that hold `count` elements.
template <class T>
int64_t words_of(int64_t count) {
  return (count + kPerWord<T> - 1) / kPerWord<T>;
}

// The block of the result that is kept in registers: rows times vectors of columns.
inline constexpr int kTileRows = 6;
inline constexpr int kTileVectors = kLanes == 16 ? 4 : 2;
inline constexpr int64_t kPanel = kTileVectors * kLanes;

inline int64_t whole_vectors(int64_t lanes) { return (lanes + kLanes - 1) / kLanes * kLanes; }

// The memory layout of the right operand [words, columns]: panels of columns, each of which stores
// its words contiguously. Columns beyond the last are zeros, up to a whole vector.
struct Panels {
  int64_t words;
  int64_t columns;  // a multiple of kLanes

  int64_t width_at(int64_t panel_begin) const {
    return columns - panel_begin < kPanel ? columns - panel_begin : kPanel;
  }
  int64_t size() const { return words * columns; }
  int64_t at(int64_t word, int64_t column) const {
    const int64_t begin = column / kPanel * kPanel;
    return begin * words + word * width_at(begin) + (column - begin);
  }
};

template <class T>
uint32_t word_at(const T* x) {
  uint32_t word;
  __builtin_memcpy(&word, x, sizeof word);
  return word;
}

// Packs the right operand x^T: column n is row n of x [rows, depth].
template <class T>
void pack_rows(const T* x, int64_t stride, int64_t rows, int64_t depth, uint32_t* to) {
  const Panels panels{depth / kPerWord<T>, whole_vectors(rows)};
  for (int64_t begin = 0; begin < panels.columns; begin += kPanel) {
    const int64_t width = panels.width_at(begin);
    uint32_t* panel = to + begin * panels.words;
    for (int64_t n = 0; n < width; ++n) {
      const T* row = x + (begin + n) * stride;
      const bool there = begin + n < rows;
      for (int64_t k = 0; k < panels.words; ++k)
        panel[k * width + n] = there ? word_at(row + k * kPerWord<T>) : 0;
    }
  }
}

// Returns the words of a vector of columns at x: elements of one row, or pairs from two rows, the
// second of which counts as zeros if it does not exist.
inline Bits words_at(const float* x, int64_t /*stride*/, bool /*second*/, auto in) {
  return (Bits)load(x, in);
}
inline Bits words_at(const BFloat16* x, int64_t stride, bool second, auto in) {
  const Bits low = (Bits)load(x, in) >> 16;
  return second ? low | (Bits)load(x + stride, in) : low;
}

// Packs the right operand x [depth, columns].
template <class T>
void pack_columns(const T* x, int64_t stride, int64_t depth, int64_t columns, uint32_t* to) {
  const Panels panels{words_of<T>(depth), whole_vectors(columns)};
  for (int64_t k = 0; k < panels.words; ++k) {
    const T* rows = x + k * kPerWord<T> * stride;
    const bool second = (k + 1) * kPerWord<T> <= depth;
    for_each_vector(columns, [&](int64_t c, auto in) {
      const Bits words = words_at(rows + c, stride, second, in);
      __builtin_memcpy(to + panels.at(k, c), &words, sizeof words);
    });
  }
}

// The left operand: word k of row r is words[r * row + k * word].
struct Left {
  const uint32_t* words;
  int64_t row;
  int64_t word;
};

// Returns the left operand whose rows are the rows of x, with elements along the summed axis.
template <class T>
Left rows_of(const T* x, int64_t stride) {
  return {reinterpret_cast<const uint32_t*>(x), stride / kPerWord<T>, 1};
}

template <class T>
inline Floats multiply_add(Floats sum, Bits a, Bits b) {
#if defined(__AVX512BF16__)
  if constexpr (sizeof(T) == sizeof(uint16_t))
    return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b);
#endif
  return sum + (Floats)a * (Floats)b;
}

template <class T, int kRows, int kVectors>
void multiply_tile(int64_t words, const Left& a, const uint32_t* b, int64_t b_stride, float* c,
                   int64_t c_stride, bool add) {
  Floats sums[kRows][kVectors];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v)
      sums[r][v] = add ? load(c + r * c_stride + v * kLanes, Whole{}) : Floats{};
  }
  for (int64_t k = 0; k < words; ++k) {
    Bits b_k[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v)
      __builtin_memcpy(&b_k[v], b + k * b_stride + v * kLanes, sizeof(Bits));
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const Bits a_k = Bits{} + a.words[r * a.row + k * a.word];
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sums[r][v] = multiply_add<T>(sums[r][v], a_k, b_k[v]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) store(c + r * c_stride + v * kLanes, sums[r][v], Whole{});
  }
}

template <class T, int kVectors>
void multiply_rows(int64_t rows, int64_t words, Left a, const uint32_t* b, int64_t b_stride,
                   float* c, int64_t c_stride, bool add) {
  const auto advance = [&](int64_t done) {
    rows -= done;
    a.words += done * a.row;
    c += done * c_stride;
  };
  for (; rows >= kTileRows; advance(kTileRows))
    multiply_tile<T, kTileRows, kVectors>(words, a, b, b_stride, c, c_stride, add);
  for (; rows >= 2; advance(2))
    multiply_tile<T, 2, kVectors>(words, a, b, b_stride, c, c_stride, add);
  if (rows > 0) multiply_tile<T, 1, kVectors>(words, a, b, b_stride, c, c_stride, add);
}

// Sets c [rows, columns] to a b, or adds a b to it. The columns of c are padded to whole vectors.
template <class T>
void multiply(int64_t rows, const Panels& panels, const Left& a, const uint32_t* b, float* c,
              int64_t c_stride, bool add = false) {
  int64_t begin = 0;
  for (; begin + kPanel <= panels.columns; begin += kPanel) {
    multiply_rows<T, kTileVectors>(rows, panels.words, a, b + begin * panels.words, kPanel,
                                   c + begin, c_stride, add);
  }
  // The last panel is narrower. One vector of columns at a time keeps too few sums in flight.
  const int64_t width = panels.columns - begin;
  const uint32_t* const last = b + begin * panels.words;
  int64_t v = 0;
  for (; kTileVectors > 2 && v + 2 * kLanes <= width; v += 2 * kLanes) {
    multiply_rows<T, 2>(rows, panels.words, a, last + v, width, c + begin + v, c_stride, add);
  }
  for (; v < width; v += kLanes)
    multiply_rows<T, 1>(rows, panels.words, a, last + v, width, c + begin + v, c_stride, add);
}

}  // namespace
}  // namespace halfstep::cpu

#endif  // HALFSTEP_NN_KERNELS_PRODUCT_LOOPS_H_
