#include "halfstep/core/random.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

#include "halfstep/core/error.h"
#include "halfstep/core/philox.h"
#include "halfstep/core/random_stream.h"

// Reassociated or contracted operations would change the bits. The build adds -ffp-contract=off;
// clang also honours the pragma.
#ifdef __FAST_MATH__
#error "halfstep's random numbers must not be compiled with -ffast-math"
#endif
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

namespace halfstep {
namespace {

std::array<uint32_t, 4> block_of(const RandomStream& stream, uint32_t block) {
  return philox4x32({block, stream.counter[0], stream.counter[1], stream.counter[2]}, stream.key);
}

uint64_t join(uint32_t low, uint32_t high) { return uint64_t{high} << 32 | low; }

double open_unit(uint32_t low, uint32_t high) {
  return (static_cast<double>(join(low, high) >> 12) + 0.5) * 0x1p-52;
}

HALFSTEP_ALWAYS_INLINE float to_uniform(uint32_t word) {
  return static_cast<float>(static_cast<int32_t>(word >> 8)) * 0x1p-24f;
}

// Returns log((word + 1/2) / 2^32). With word + 1/2 = 2^e m, m in [sqrt(1/2), sqrt(2)), and
// s = (m - 1) / (m + 1):  log m = 2 (s + s^3/3 + s^5/5 + ...). The first omitted term is 2e-9 of
// the sum.
HALFSTEP_ALWAYS_INLINE float log_unit(uint32_t word) {
  // The two halves are exact, so there is one rounding. Baseline instruction sets only convert
  // signed integers, and a whole word does not fit into one.
  const float x = static_cast<float>(static_cast<int32_t>(word >> 16)) * 65536.0f +
                  (static_cast<float>(static_cast<int32_t>(word & 0xFFFF)) + 0.5f);
  constexpr int32_t kSqrtHalf = 0x3F3504F3;  // the bits of sqrt(1/2)
  const int32_t bits = std::bit_cast<int32_t>(x);
  const int32_t exponent = (bits - kSqrtHalf) >> 23;
  const float m = std::bit_cast<float>(bits - exponent * (1 << 23));
  const float s = (m - 1.0f) / (m + 1.0f);
  const float s2 = s * s;
  const float series = s2 * (1.0f / 3 + s2 * (1.0f / 5 + s2 * (1.0f / 7 + s2 * (1.0f / 9))));
  const float log_m = 2.0f * s + 2.0f * s * series;
  // log 2 in two parts. The high part has few enough bits for its product with the exponent to be
  // exact.
  constexpr float kLog2High = 0x1.62e4p-1f, kLog2Low = 0x1.7f7d1cp-20f;
  const float e = static_cast<float>(exponent - 32);
  return e * kLog2High + (e * kLog2Low + log_m);
}

// Computes the cosine and sine of 2 pi word / 2^32: Taylor series on [-pi/4, pi/4] around the
// nearest quarter turn, then a rotation by that number of quarter turns.
HALFSTEP_ALWAYS_INLINE void cos_sin_turn(uint32_t word, float& cosine, float& sine) {
  const uint32_t quarter = (word + (1u << 29)) >> 30;
  const int32_t rest = static_cast<int32_t>(word - (quarter << 30));
  const float y = static_cast<float>(rest) * static_cast<float>(0x1.921fb54442d18p-30);
  const float y2 = y * y;
  const float s =
      y + y * (y2 * (-1.0f / 6 + y2 * (1.0f / 120 + y2 * (-1.0f / 5040 + y2 * (1.0f / 362880)))));
  const float c =
      1.0f - y2 * (0.5f - y2 * (1.0f / 24 -
                                y2 * (1.0f / 720 - y2 * (1.0f / 40320 - y2 * (1.0f / 3628800)))));
  const uint32_t swap = 0u - (quarter & 1u);
  const uint32_t s_bits = std::bit_cast<uint32_t>(s), c_bits = std::bit_cast<uint32_t>(c);
  const uint32_t cosine_bits = (c_bits & ~swap) | (s_bits & swap);
  const uint32_t sine_bits = (s_bits & ~swap) | (c_bits & swap);
  cosine = std::bit_cast<float>(cosine_bits ^ ((quarter + 1u) & 2u) << 30);
  sine = std::bit_cast<float>(sine_bits ^ (quarter & 2u) << 30);
}

HALFSTEP_ALWAYS_INLINE void to_normals(uint32_t radius_word, uint32_t angle_word, float& first,
                                       float& second) {
  const float radius = std::sqrt(-2.0f * log_unit(radius_word));
  float cosine, sine;
  cos_sin_turn(angle_word, cosine, sine);
  first = radius * cosine;
  second = radius * sine;
}

// Blocks are computed in chunks, as rows of words, so that the compiler can use full vectors.
constexpr int kChunkBlocks = 64;
constexpr int kChunk = 4 * kChunkBlocks;

HALFSTEP_ALWAYS_INLINE void chunk_words(const RandomStream& stream, uint32_t first_block,
                                        uint32_t (&words)[4][kChunkBlocks]) {
  for (int b = 0; b < kChunkBlocks; ++b) {
    uint32_t c0 = first_block + static_cast<uint32_t>(b), c1 = stream.counter[0];
    uint32_t c2 = stream.counter[1], c3 = stream.counter[2];
    philox_rounds(c0, c1, c2, c3, stream.key[0], stream.key[1]);
    words[0][b] = c0;
    words[1][b] = c1;
    words[2][b] = c2;
    words[3][b] = c3;
  }
}

HALFSTEP_ALWAYS_INLINE void uniform_chunk(const RandomStream& stream, uint32_t first_block,
                                          float* out) {
  uint32_t words[4][kChunkBlocks];
  chunk_words(stream, first_block, words);
  for (int b = 0; b < kChunkBlocks; ++b) {
    for (int lane = 0; lane < 4; ++lane) out[4 * b + lane] = to_uniform(words[lane][b]);
  }
}

HALFSTEP_ALWAYS_INLINE void normal_chunk(const RandomStream& stream, uint32_t first_block,
                                         float* out) {
  uint32_t words[4][kChunkBlocks];
  chunk_words(stream, first_block, words);
  for (int b = 0; b < kChunkBlocks; ++b) {
    float n0, n1, n2, n3;
    to_normals(words[0][b], words[1][b], n0, n1);
    to_normals(words[2][b], words[3][b], n2, n3);
    out[4 * b] = n0;
    out[4 * b + 1] = n1;
    out[4 * b + 2] = n2;
    out[4 * b + 3] = n3;
  }
}

// Writes elements [first, first + out.size()) of a stream, chunk by chunk.
template <class MakeChunk>
void fill(const RandomStream& stream, std::span<float> out, uint64_t first,
          const MakeChunk& make_chunk) {
  constexpr uint64_t kLength = uint64_t{4} << 32;
  if (first > kLength || out.size() > kLength - first) {
    throw ConfigError("random", "element: expected a number below 2^34, received " +
                                    std::to_string(first + out.size()) +
                                    "; use another index, example or site for the rest");
  }
  float chunk[kChunk];
  uint64_t block = first / 4;
  size_t skip = first % 4;
  while (!out.empty()) {
    make_chunk(stream, static_cast<uint32_t>(block), chunk);
    const size_t count = std::min(out.size(), kChunk - skip);
    std::copy_n(chunk + skip, count, out.begin());
    out = out.subspan(count);
    block += kChunkBlocks;
    skip = 0;
  }
}

void fill_normal_of(const RandomStream& stream, std::span<float> out, uint64_t first) {
  fill(stream, out, first,
       [](const RandomStream& s, uint32_t b, float* o) { normal_chunk(s, b, o); });
}

}  // namespace

// A RandomKey has more bits than Philox's key and counter together, so Philox is applied twice:
//   a       = philox4x32(counter = {purpose | attempt << 8, site, index low, index high},
//                        key = {seed low, seed high})
//   block b = philox4x32(counter = {b, example, a2, a3}, key = {a0, a1})
// For a fixed seed the first step is a bijection, so different keys never share a block. Keys with
// different seeds share one with probability 2^-128.
RandomStream stream_of(const RandomKey& key, uint32_t attempt) {
  const std::array<uint32_t, 4> a =
      philox4x32({static_cast<uint32_t>(key.purpose) | attempt << 8, key.site,
                  static_cast<uint32_t>(key.index), static_cast<uint32_t>(key.index >> 32)},
                 {static_cast<uint32_t>(key.seed), static_cast<uint32_t>(key.seed >> 32)});
  return {{a[0], a[1]}, {key.example, a[2], a[3]}};
}

NormalPair normal_pair(uint32_t radius_word, uint32_t angle_word) {
  NormalPair pair;
  to_normals(radius_word, angle_word, pair.first, pair.second);
  return pair;
}

double uniform(const RandomKey& key) {
  const std::array<uint32_t, 4> words = block_of(stream_of(key), 0);
  return open_unit(words[0], words[1]);
}

void fill_normal(const RandomKey& key, std::span<float> out, uint64_t first) {
  fill_normal_of(stream_of(key), out, first);
}

void fill_uniform(const RandomKey& key, std::span<float> out, uint64_t first) {
  fill(stream_of(key), out, first,
       [](const RandomStream& s, uint32_t b, float* o) { uniform_chunk(s, b, o); });
}

void fill_uniform(const RandomKey& key, std::span<double> out) {
  const RandomStream stream = stream_of(key);
  for (size_t i = 0; i < out.size(); ++i) {
    const std::array<uint32_t, 4> words = block_of(stream, static_cast<uint32_t>(i / 2));
    out[i] = open_unit(words[2 * (i % 2)], words[2 * (i % 2) + 1]);
  }
}

void fill_truncated_normal(const RandomKey& key, std::span<float> out) {
  fill_normal(key, out);
  for (uint32_t attempt = 1;; ++attempt) {
    const RandomStream stream = stream_of(key, attempt);
    bool all_inside = true;
    for (size_t i = 0; i < out.size(); ++i) {
      if (std::abs(out[i]) <= 2.0f) continue;
      const std::array<uint32_t, 4> words = block_of(stream, static_cast<uint32_t>(i / 4));
      const NormalPair pair = i % 4 < 2 ? normal_pair(words[0], words[1])  //
                                        : normal_pair(words[2], words[3]);
      out[i] = i % 2 == 0 ? pair.first : pair.second;
      all_inside = all_inside && std::abs(out[i]) <= 2.0f;
    }
    if (all_inside) return;
  }
}

uint64_t uniform_int(const RandomKey& key, uint64_t bound) {
  if (bound == 0) {
    throw ConfigError("uniform_int", "bound: expected at least 1, received 0");
  }
  __extension__ using uint128 = unsigned __int128;
  const std::array<uint32_t, 4> words = block_of(stream_of(key), 0);
  return static_cast<uint64_t>(uint128{join(words[0], words[1])} * bound >> 64);
}

Permutation::Permutation(uint64_t seed, uint64_t epoch, uint64_t size)
    : size_(size),
      half_bits_(
          std::max(1, (static_cast<int>(std::bit_width(std::max<uint64_t>(size, 1) - 1)) + 1) / 2)),
      key_(stream_of({seed, Purpose::data_order, epoch}).key) {}

uint64_t Permutation::operator()(uint64_t i) const {
  if (i >= size_) {
    throw ConfigError("Permutation", "element: expected below " + std::to_string(size_) +
                                         ", received " + std::to_string(i));
  }
  do {
    i = encrypt(i);
  } while (i >= size_);
  return i;
}

uint64_t Permutation::encrypt(uint64_t value) const {
  constexpr uint32_t kFeistelRounds = 8;
  const uint64_t mask = (uint64_t{1} << half_bits_) - 1;
  uint64_t left = value >> half_bits_, right = value & mask;
  for (uint32_t round = 0; round < kFeistelRounds; ++round) {
    const uint32_t mixed = philox4x32({static_cast<uint32_t>(right), round, 0, 0}, key_)[0];
    const uint64_t next = left ^ (mixed & mask);
    left = right;
    right = next;
  }
  return left << half_bits_ | right;
}

uint32_t site_of(std::string_view name) {
  uint32_t hash = 2166136261u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

}  // namespace halfstep
