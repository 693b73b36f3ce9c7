// Keyed random numbers: every draw is a pure function of its key. There are no generator objects
// and there is no state to save.
//
// The random words come from Philox 4x32-10 (Salmon et al. 2011). The transforms to uniform and
// normal numbers use only integer operations and the exactly rounded + - * / sqrt of IEEE 754, so
// the bits are the same on every machine, with every compiler and for every instruction set. All
// functions are thread-safe.
//
// Use each key for one call only: fill_uniform and fill_normal with the same key use the same
// random words, so their results are not independent.
#ifndef HALFSTEP_CORE_RANDOM_H_
#define HALFSTEP_CORE_RANDOM_H_

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace halfstep {

// What a number is drawn for. Saved runs depend on the values: add new purposes at the end and
// never renumber.
enum class Purpose : uint32_t {
  data_order = 1,
  flip = 2,
  time = 3,
  noise = 4,
  dropout = 5,
  label_dropout = 6,
  sample_noise = 7,
  sample_label = 8,
  initial_weights = 9,
  step_noise = 10,
  posterior_noise = 11,
  guidance = 12,
  mask = 13,
};

// Identifies a draw. Draws with different keys are independent.
struct RandomKey {
  uint64_t seed = 0;
  Purpose purpose;
  uint64_t index = 0;    // number of the update, epoch or sample
  uint32_t example = 0;  // number of the example within the batch
  uint32_t site = 0;     // tells draws for one purpose apart: a layer (see site_of) or a step
};

// Uniform on the open interval (0, 1): (k + 1/2) / 2^52, where k has 52 random bits, so the result
// is never 0 or 1. uniform(key) is the first element of fill_uniform(key, ...).
double uniform(const RandomKey& key);
void fill_uniform(const RandomKey& key, std::span<double> out);

// The next two functions set out[j] to element first + j of the key's sequence. An element depends
// only on the key and on its number, so any part of a sequence can be computed alone. A sequence
// has 2^34 elements; both functions throw ConfigError if the range goes beyond that.

// Uniform on [0, 1): k / 2^24, where k has 24 random bits.
void fill_uniform(const RandomKey& key, std::span<float> out, uint64_t first = 0);

// Standard normal, by the Box-Muller transform (see normal_pair). |x| < 6.8.
void fill_normal(const RandomKey& key, std::span<float> out, uint64_t first = 0);

// Standard normal conditioned on |x| <= 2; the standard deviation of the result is 0.8796. An
// element outside the range is drawn again, with the number of the attempt in its key, until it is
// inside.
void fill_truncated_normal(const RandomKey& key, std::span<float> out);

// Returns an integer in [0, bound): the high half of the 128-bit product of 64 random bits and
// `bound`. Each probability differs from 1/bound by less than 2^-64. Throws ConfigError if bound is
// 0.
uint64_t uniform_int(const RandomKey& key, uint64_t bound);

// A keyed random permutation of [0, size), different for each epoch, in constant memory. It is an
// eight-round Feistel network on the smallest even number of bits that holds `size`, applied until
// the result is below `size` (fewer than 4 times on average). Immutable and thread-safe.
class Permutation {
 public:
  Permutation(uint64_t seed, uint64_t epoch, uint64_t size);

  // Returns the image of `i`. Throws ConfigError unless i < size.
  uint64_t operator()(uint64_t i) const;

  uint64_t size() const { return size_; }

 private:
  uint64_t encrypt(uint64_t value) const;

  uint64_t size_;
  int half_bits_;
  std::array<uint32_t, 2> key_;
};

// Returns the 32-bit FNV-1a hash of the name of a parameter or a layer, for RandomKey::site.
uint32_t site_of(std::string_view name);

// The Box-Muller transform of two random words. With u = (radius_word + 1/2) / 2^32, rounded to
// float32, and a = angle_word / 2^32,
//   first  = sqrt(-2 log u) cos(2 pi a),
//   second = sqrt(-2 log u) sin(2 pi a),
// each with an error of at most 4 float32 roundings.
struct NormalPair {
  float first, second;
};
NormalPair normal_pair(uint32_t radius_word, uint32_t angle_word);

}  // namespace halfstep

#endif  // HALFSTEP_CORE_RANDOM_H_
