// The loops of attention. They process one head of one example at a time, which stays in the L2
// cache.
#ifndef HALFSTEP_NN_KERNELS_ATTENTION_LOOPS_H_
#define HALFSTEP_NN_KERNELS_ATTENTION_LOOPS_H_

#include "halfstep/nn/kernels/cpu.h"
#include "halfstep/nn/kernels/product_loops.h"
#include "halfstep/nn/kernels/vector.h"

namespace halfstep::cpu {
namespace {
namespace attention {

// The number of rows of the positions x positions matrix that are processed at a time: 8 tiles.
inline constexpr int64_t kBlock = 48;

// Returns the number of positions, padded to whole vectors, and to whole words for the next
// product.
inline int64_t columns_of(const AttentionHead& head) { return padded(head.positions); }

// Hands out parts of the scratch memory in whole cache lines. Without memory, only counts.
class Scratch {
 public:
  explicit Scratch(uint32_t* begin) : begin_(begin) {}
  uint32_t* words(int64_t count) {
    const int64_t here = used_;
    used_ += padded(count);
    return begin_ == nullptr ? nullptr : begin_ + here;
  }
  float* floats(int64_t count) { return reinterpret_cast<float*>(words(count)); }
  int64_t used() const { return used_; }

 private:
  uint32_t* begin_;
  int64_t used_ = 0;
};

template <class T>
struct ForwardScratch {
  ForwardScratch(const AttentionHead& head, Scratch scratch)
      : keys(scratch.words(head.head_dim * columns_of(head))),
        values(scratch.words(columns_of(head) * padded(head.head_dim))),
        scores(scratch.floats(kBlock * columns_of(head))),
        mixed(scratch.floats(kBlock * padded(head.head_dim))),
        weights(reinterpret_cast<T*>(scratch.words(kBlock * columns_of(head)))),
        words(scratch.used()) {}
  uint32_t* keys;    // k^T
  uint32_t* values;  // v
  float* scores;     // scale q k^T
  float* mixed;
  T* weights;  // exp(scores - their maximum)
  int64_t words;
};

// Sets weights = exp(scale scores - max) for one row and *most to max, the largest scaled score.
// Returns the sum of the weights.
template <class T>
float exponentials(const AttentionHead& head, float* scores, T* weights, float* most) {
  const int64_t columns = columns_of(head);
  for (int64_t c = head.positions; c < columns; ++c) scores[c] = -__FLT_MAX__;
  Floats highest = load(scores, Whole{});
  for (int64_t c = kLanes; c < columns; c += kLanes)
    highest = larger(highest, load(scores + c, Whole{}));
  *most = largest(highest) * head.scale;
  Floats total = {};
  for (int64_t c = 0; c < columns; c += kLanes) {
    const Floats score = load(scores + c, Whole{});
    const Floats weight = exponential(score * head.scale - *most);
    total += weight + score * 0.0f;  // makes the sum NaN if a score is: exponential(NaN) is not
    store(weights + c, weight, Whole{});
  }
  return sum(total);
}

template <class T>
void forward(const AttentionHead& head, const T* q, const T* k, const T* v, int64_t first,
             int64_t count, T* out, float* lse, uint32_t* scratch) {
  const ForwardScratch<T> at(head, Scratch(scratch));
  const int64_t columns = columns_of(head);
  const int64_t depth = whole_vectors(head.head_dim);
  const Panels keys{head.head_dim / kPerWord<T>, whole_vectors(head.positions)};
  const Panels values{words_of<T>(head.positions), depth};
  pack_rows(k, head.stride, head.positions, head.head_dim, at.keys);
  pack_columns(v, head.stride, head.positions, head.head_dim, at.values);
  for (int64_t begin = first; begin < first + count; begin += kBlock) {
    const int64_t rows = first + count - begin < kBlock ? first + count - begin : kBlock;
    multiply<T>(rows, keys, rows_of(q + begin * head.stride, head.stride), at.keys, at.scores,
                columns);
    float totals[kBlock];
    for (int64_t r = 0; r < rows; ++r) {
      float most;
      totals[r] = exponentials(head, at.scores + r * columns, at.weights + r * columns, &most);
      lse[begin + r] = most + __builtin_logf(totals[r]);
    }
    multiply<T>(rows, values, rows_of(at.weights, columns), at.values, at.mixed, depth);
    for (int64_t r = 0; r < rows; ++r) {
      const float one_over_total = 1.0f / totals[r];
      for_each_vector(head.head_dim, [&](int64_t c, auto in) {
        store(out + (begin + r) * head.out_stride + c,
              load(at.mixed + r * depth + c, Whole{}) * one_over_total, in);
      });
    }
  }
}

template <class T>
struct BackwardScratch {
  BackwardScratch(const AttentionHead& head, Scratch scratch)
      : queries_t(scratch.words(head.head_dim * columns_of(head))),
        douts_t(scratch.words(head.head_dim * columns_of(head))),
        queries(scratch.words(columns_of(head) * padded(head.head_dim))),
        douts(scratch.words(columns_of(head) * padded(head.head_dim))),
        keys(scratch.words(kBlock * padded(head.head_dim))),
        scores(scratch.floats(kBlock * columns_of(head))),
        dweights(scratch.floats(kBlock * columns_of(head))),
        weights(reinterpret_cast<T*>(scratch.words(kBlock * columns_of(head)))),
        dscores(reinterpret_cast<T*>(scratch.words(kBlock * columns_of(head)))),
        pairs(scratch.words(kBlock * columns_of(head))),
        gradient(scratch.floats(kBlock * padded(head.head_dim))),
        dq(scratch.floats(columns_of(head) * padded(head.head_dim))),
        lse(scratch.floats(columns_of(head))),
        delta(scratch.floats(columns_of(head))),
        words(scratch.used()) {}
  uint32_t* queries_t;  // q^T
  uint32_t* douts_t;    // dout^T
  uint32_t* queries;    // q
  uint32_t* douts;      // dout
  uint32_t* keys;       // k, a block of rows
  float* scores;
  float* dweights;
  T* weights;
  T* dscores;
  uint32_t* pairs;  // dscores in words along the keys
  float* gradient;
  float* dq;
  float* lse;
  float* delta;  // sum of dout * out of each row
  int64_t words;
};

// Sets weights = exp(scores - lse) and dscores = scale weights (dweights - delta) for a block of
// keys and all queries.
template <class T>
void weigh(const AttentionHead& head, int64_t rows, const BackwardScratch<T>& at) {
  const int64_t columns = columns_of(head);
  for (int64_t i = 0; i < rows * columns; i += columns) {
    for (int64_t c = 0; c < columns; c += kLanes) {
      const Floats weight =
          exponential(load(at.scores + i + c, Whole{}) * head.scale - load(at.lse + c, Whole{}));
      const Floats dweight = load(at.dweights + i + c, Whole{}) - load(at.delta + c, Whole{});
      store(at.weights + i + c, weight, Whole{});
      store(at.dscores + i + c, weight * dweight * head.scale, Whole{});
    }
  }
}

// Sets delta to the sum of out * dout of each position, and copies lse; both are zero beyond the
// last position.
template <class T>
void prepare_rows(const AttentionHead& head, const T* out, const T* dout, const float* lse,
                  const BackwardScratch<T>& at) {
  for (int64_t n = 0; n < columns_of(head); ++n) {
    Floats total = {};
    if (n < head.positions) {
      for_each_vector(head.head_dim, [&](int64_t c, auto in) {
        total += load(out + n * head.out_stride + c, in) * load(dout + n * head.out_stride + c, in);
      });
    }
    at.delta[n] = sum(total);
    at.lse[n] = n < head.positions ? lse[n] : 0.0f;
  }
}

// Converts the rows of a gradient from float, padded to whole vectors, to T with the stride of
// `head`.
template <class T>
void write_rows(const AttentionHead& head, int64_t rows, const float* gradient, T* to) {
  const int64_t depth = whole_vectors(head.head_dim);
  for (int64_t r = 0; r < rows; ++r) {
    for_each_vector(head.head_dim, [&](int64_t c, auto in) {
      store(to + r * head.stride + c, load(gradient + r * depth + c, Whole{}), in);
    });
  }
}

// With s = scale q k^T, w = softmax(s), all of them [queries, keys]:
//   dv = w^T dout,  dw = dout v^T,  ds = w (dw - sum of dout out),
//   dq = scale ds k,  dk = scale ds^T q
// They are computed transposed, by blocks of keys, which gives w^T and ds^T the layout that the
// products need.
template <class T>
void backward(const AttentionHead& head, const T* q, const T* k, const T* v, const T* out,
              const float* lse, const T* dout, T* dq, T* dk, T* dv, uint32_t* scratch) {
  const BackwardScratch<T> at(head, Scratch(scratch));
  const int64_t columns = columns_of(head);
  const int64_t depth = whole_vectors(head.head_dim);
  const Panels by_position{head.head_dim / kPerWord<T>, whole_vectors(head.positions)};
  const Panels by_channel{words_of<T>(head.positions), depth};
  pack_rows(q, head.stride, head.positions, head.head_dim, at.queries_t);
  pack_rows(dout, head.out_stride, head.positions, head.head_dim, at.douts_t);
  pack_columns(q, head.stride, head.positions, head.head_dim, at.queries);
  pack_columns(dout, head.out_stride, head.positions, head.head_dim, at.douts);
  prepare_rows(head, out, dout, lse, at);
  for (int64_t i = 0; i < kBlock * columns; ++i) at.scores[i] = at.dweights[i] = 0.0f;
  for (int64_t begin = 0; begin < head.positions; begin += kBlock) {
    const int64_t rows = head.positions - begin < kBlock ? head.positions - begin : kBlock;
    const int64_t here = begin * head.stride;
    multiply<T>(rows, by_position, rows_of(k + here, head.stride), at.queries_t, at.scores,
                columns);
    multiply<T>(rows, by_position, rows_of(v + here, head.stride), at.douts_t, at.dweights,
                columns);
    weigh(head, rows, at);
    multiply<T>(rows, by_channel, rows_of(at.weights, columns), at.douts, at.gradient, depth);
    write_rows(head, rows, at.gradient, dv + here);
    multiply<T>(rows, by_channel, rows_of(at.dscores, columns), at.queries, at.gradient, depth);
    write_rows(head, rows, at.gradient, dk + here);
    // dq += ds k, with ds = (ds^T)^T
    const Panels keys{words_of<T>(rows), depth};
    pack_columns(k + here, head.stride, rows, head.head_dim, at.keys);
    for (int64_t w = 0; w < keys.words; ++w) {
      const T* row = at.dscores + w * kPerWord<T> * columns;
      const bool second = (w + 1) * kPerWord<T> <= rows;
      for (int64_t c = 0; c < columns; c += kLanes) {
        const Bits words = words_at(row + c, columns, second, Whole{});
        __builtin_memcpy(at.pairs + w * columns + c, &words, sizeof words);
      }
    }
    multiply<T>(head.positions, keys, Left{at.pairs, 1, columns}, at.keys, at.dq, depth,
                /*add=*/begin > 0);
  }
  write_rows(head, head.positions, at.dq, dq);
}

template <class T>
int64_t scratch_words(const AttentionHead& head, bool backward) {
  return backward ? BackwardScratch<T>(head, Scratch(nullptr)).words
                  : ForwardScratch<T>(head, Scratch(nullptr)).words;
}

#if defined(__AVX512BF16__)
inline constexpr bool kMultipliesPairs = true;
#else
inline constexpr bool kMultipliesPairs = false;
#endif

template <class T>
constexpr AttentionLoops<T> loops() {
  if constexpr (sizeof(T) == sizeof(BFloat16) && !kMultipliesPairs) {
    return {nullptr, nullptr, nullptr};
  } else {
    return {forward<T>, backward<T>, scratch_words<T>};
  }
}

template <class T>
inline constexpr AttentionLoops<T> kLoops = loops<T>();

}  // namespace attention
}  // namespace
}  // namespace halfstep::cpu

#endif  // HALFSTEP_NN_KERNELS_ATTENTION_LOOPS_H_
