// A vector of floats, as wide as the instruction set of the including file allows. Everything has
// internal linkage, and no header with inline functions is included: if the linker kept the AVX-512
// copy of a shared inline function, older machines could not run it.
#ifndef HALFSTEP_NN_KERNELS_VECTOR_H_
#define HALFSTEP_NN_KERNELS_VECTOR_H_

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include <cstdint>

#include "halfstep/nn/kernels/cpu.h"

namespace halfstep::cpu {
namespace {

#if defined(__AVX512F__)
inline constexpr int kLanes = 16;
#elif defined(__AVX2__)
inline constexpr int kLanes = 8;
#else
inline constexpr int kLanes = 4;
#endif

using Floats = float __attribute__((vector_size(4 * kLanes)));
using Bits = uint32_t __attribute__((vector_size(4 * kLanes)));
using Halves = uint16_t __attribute__((vector_size(2 * kLanes)));

// Operations for which the compiler does not find the instruction by itself. If x is NaN, `larger`
// and `smaller` return y.
#if defined(__AVX512F__)
inline Bits widen(Halves x) { return (Bits)_mm512_cvtepu16_epi32((__m256i)x); }
inline Halves narrow(Bits x) { return (Halves)_mm512_cvtepi32_epi16((__m512i)x); }
inline Floats larger(Floats x, Floats y) { return _mm512_max_ps(x, y); }
inline Floats smaller(Floats x, Floats y) { return _mm512_min_ps(x, y); }
inline Floats square_root(Floats x) { return _mm512_sqrt_ps(x); }
#elif defined(__AVX2__)
inline Bits widen(Halves x) { return (Bits)_mm256_cvtepu16_epi32((__m128i)x); }
inline Halves narrow(Bits x) {  // x < 2^16
  const __m256i twice = _mm256_packus_epi32((__m256i)x, (__m256i)x);
  return (Halves)_mm256_castsi256_si128(_mm256_permute4x64_epi64(twice, 0b1000));
}
inline Floats larger(Floats x, Floats y) { return _mm256_max_ps(x, y); }
inline Floats smaller(Floats x, Floats y) { return _mm256_min_ps(x, y); }
inline Floats square_root(Floats x) { return _mm256_sqrt_ps(x); }
#else
inline Bits widen(Halves x) { return __builtin_convertvector(x, Bits); }
inline Halves narrow(Bits x) { return __builtin_convertvector(x, Halves); }
inline Floats larger(Floats x, Floats y) { return x > y ? x : y; }
inline Floats smaller(Floats x, Floats y) { return x < y ? x : y; }
inline Floats square_root(Floats x) {
  for (int i = 0; i < kLanes; ++i) x[i] = __builtin_sqrtf(x[i]);
  return x;
}
#endif

// Returns 1 / x to 1.5 ulp, for normal numbers with a normal reciprocal.
inline Floats reciprocal(Floats x) {
#if defined(__AVX512F__)
  const Floats r = _mm512_rcp14_ps(x);  // 14 bits, doubled by a Newton step
  return r * (2.0f - x * r);
#else
  return 1.0f / x;
#endif
}

inline float sum(Floats x) {
  float total = 0.0f;
  for (int i = 0; i < kLanes; ++i) total += x[i];
  return total;
}

inline float largest(Floats x) {
  float most = x[0];
  for (int i = 1; i < kLanes; ++i) most = x[i] > most ? x[i] : most;
  return most;
}

inline Floats all(float x) { return Floats{} + x; }

// How many lanes of a vector are in memory: all of them, or the first `lanes`.
struct Whole {};
struct Part {
  int64_t lanes;  // the others read as zero
};

inline Floats load(const float* from, Whole) {
  Floats v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}

inline Floats load(const BFloat16* from, Whole) {
  Halves halves;
  __builtin_memcpy(&halves, from, sizeof halves);
  return (Floats)(widen(halves) << 16);
}

inline void store(float* to, Floats v, Whole) { __builtin_memcpy(to, &v, sizeof v); }

inline Halves round_to_bfloat16(Floats v) {
#if defined(__AVX512BF16__)
  return (Halves)_mm512_cvtneps_pbh(v);
#else
  const Bits bits = (Bits)v;
  const Bits nearest_even = bits + 0x7fff + ((bits >> 16) & 1);
  const Bits rounded = v == v ? nearest_even : bits | 0x400000;  // NaN stays NaN
  return narrow(rounded >> 16);
#endif
}

inline void store(BFloat16* to, Floats v, Whole) {
  const Halves halves = round_to_bfloat16(v);
  __builtin_memcpy(to, &halves, sizeof halves);
}

template <class T>
Floats load(const T* from, Part part) {
  T whole[kLanes] = {};
  for (int64_t i = 0; i < part.lanes; ++i) whole[i] = from[i];
  return load(whole, Whole{});
}

template <class T>
void store(T* to, Floats v, Part part) {
  T whole[kLanes];
  store(whole, v, Whole{});
  for (int64_t i = 0; i < part.lanes; ++i) to[i] = whole[i];
}

// Calls body(first channel, Whole or Part) for each vector of channels.
template <class Body>
void for_each_vector(int64_t channels, Body body) {
  int64_t c = 0;
  for (; c + kLanes <= channels; c += kLanes) body(c, Whole{});
  if (c < channels) body(c, Part{channels - c});
}

// Returns e^x to 2 ulp, with x clamped to [-87, 87] so that the result is always a normal number.
inline Floats exponential(Floats x) {
  const Floats t = larger(smaller(x, all(87.0f)), all(-87.0f));
  // t / ln 2 = n + f. Adding 1.5 * 2^23 rounds to an integer and leaves n in the lowest bits.
  const Floats shifted = t * 1.44269504f + 0x1.8p23f;
  const Floats n = shifted - 0x1.8p23f;
  const Floats f = t * 1.44269504f - n;
  // The minimax polynomial of 2^f on [-1/2, 1/2], with error 9e-8.
  Floats p = 1.326472731e-3f * f + 9.671512991e-3f;
  p = p * f + 5.550733581e-2f;
  p = p * f + 2.402224243e-1f;
  p = p * f + 6.931470037e-1f;
  p = p * f + 1.0f;
  return (Floats)((Bits)p + ((Bits)shifted << 23));
}

// Returns 1 / (1 + e^-x) to a few ulp.
inline Floats sigmoid(Floats x) { return reciprocal(1.0f + exponential(-x)); }

}  // namespace
}  // namespace halfstep::cpu

#endif  // HALFSTEP_NN_KERNELS_VECTOR_H_
