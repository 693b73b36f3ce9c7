// Randomness is a function, not a state: every draw is a pure function of its key.
//
// The words come from Philox 4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as
// easy as 1, 2, 3", 2011). The transforms to uniform and normal numbers are our own and use only
// integer operations and the exactly rounded
// + - * / sqrt of IEEE 754, so the bits are the same on every machine, compiler and instruction
// set. Nothing here keeps or changes state; every function may be called from any number of
// threads.
//
// One key is for one call: fill_uniform and fill_normal of the same key are made from the same
// words.
#ifndef HALFSTEP_CORE_RANDOM_H_
#define HALFSTEP_CORE_RANDOM_H_

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace halfstep {

// What a number is drawn for. The values are part of every saved run's reproducibility: add to the
// end, never renumber.
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
};

struct RandomKey {
  uint64_t seed = 0;
  Purpose purpose;
  uint64_t index = 0;    // number of the update, epoch or sample
  uint32_t example = 0;  // number of the example within a batch
  uint32_t site = 0;     // which of several draws of one purpose: a layer (see site_of), a step
};

// Uniform on (0, 1): (k + 1/2) / 2^52 with k of 52 bits, so neither 0 nor 1 ever comes.
double uniform(const RandomKey& key);
void fill_uniform(const RandomKey& key, std::span<double> out);

// out[j] is element first + j of the key's sequence, which depends on the key and the element's
// number only: any part of a sequence can be made alone. A sequence has 2^34 elements; the
// functions throw ConfigError beyond.
//
// Uniform on [0, 1): k / 2^24 with k of 24 bits.
void fill_uniform(const RandomKey& key, std::span<float> out, uint64_t first = 0);

// Normal, mean 0 and variance 1: pairs by Box and Muller (see normal_pair). |x| < 6.8.
void fill_normal(const RandomKey& key, std::span<float> out, uint64_t first = 0);

// Normal conditioned on |x| <= 2 (its standard deviation is 0.8796): an element outside is drawn
// again, with the number of the attempt in its key, until it is inside.
void fill_truncated_normal(const RandomKey& key, std::span<float> out);

// An integer in [0, bound): the high half of the 128-bit product of 64 random bits and `bound`. The
// probabilities differ from 1/bound by less than 2^-64. Throws ConfigError for bound = 0.
uint64_t uniform_int(const RandomKey& key, uint64_t bound);

// A keyed bijection of [0, size), different for each epoch, in constant memory: an eight-round
// Feistel network on the smallest even number of bits that holds `size`, walked until it lands
// inside (less than 4 times on average).
class Permutation {
 public:
  Permutation(uint64_t seed, uint64_t epoch, uint64_t size);

  // Where `i` goes. Throws ConfigError unless i < size.
  uint64_t operator()(uint64_t i) const;

  uint64_t size() const { return size_; }

 private:
  uint64_t encrypt(uint64_t value) const;

  uint64_t size_;
  int half_bits_;
  std::array<uint32_t, 2> key_;
};

// The 32-bit FNV-1a hash of a name, such as a parameter's or a layer's.
uint32_t site_of(std::string_view name);

// Box and Muller's pair: with u = (radius_word + 1/2) / 2^32, rounded to float32, and a =
// angle_word / 2^32,
//   first = sqrt(-2 log u) cos(2 pi a),   second = sqrt(-2 log u) sin(2 pi a),   each within 4
//   float32 roundings.
struct NormalPair {
  float first, second;
};
NormalPair normal_pair(uint32_t radius_word, uint32_t angle_word);

}  // namespace halfstep

#endif  // HALFSTEP_CORE_RANDOM_H_
