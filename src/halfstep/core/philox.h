// Philox 4x32-10, the counter-based random number generator of Salmon, Moraes, Dror and Shaw
// ("Parallel random numbers: as easy as 1, 2, 3", 2011). Ten rounds turn a counter of four 32-bit
// words into four random words; for a fixed key this is a bijection.
#ifndef HALFSTEP_CORE_PHILOX_H_
#define HALFSTEP_CORE_PHILOX_H_

#include <array>
#include <cstdint>
#include <utility>

#define HALFSTEP_ALWAYS_INLINE inline __attribute__((always_inline))

namespace halfstep {

// One round, in place: c0 to c3 are the counter, k0 and k1 the round's key.
HALFSTEP_ALWAYS_INLINE constexpr void philox_round(uint32_t& c0, uint32_t& c1, uint32_t& c2,
                                                   uint32_t& c3, uint32_t k0, uint32_t k1) {
  const uint64_t product0 = uint64_t{0xD2511F53} * c0;
  const uint64_t product1 = uint64_t{0xCD9E8D57} * c2;
  c0 = static_cast<uint32_t>(product1 >> 32) ^ c1 ^ k0;
  c2 = static_cast<uint32_t>(product0 >> 32) ^ c3 ^ k1;
  c1 = static_cast<uint32_t>(product1);
  c3 = static_cast<uint32_t>(product0);
}

// All rounds, unrolled at compile time: compilers do not vectorise a loop over blocks around an
// inner loop over rounds.
template <uint32_t... kRound>
HALFSTEP_ALWAYS_INLINE constexpr void philox_rounds(uint32_t& c0, uint32_t& c1, uint32_t& c2,
                                                    uint32_t& c3, uint32_t k0, uint32_t k1,
                                                    std::integer_sequence<uint32_t, kRound...>) {
  (philox_round(c0, c1, c2, c3, k0 + kRound * 0x9E3779B9, k1 + kRound * 0xBB67AE85), ...);
}

HALFSTEP_ALWAYS_INLINE constexpr void philox_rounds(uint32_t& c0, uint32_t& c1, uint32_t& c2,
                                                    uint32_t& c3, uint32_t k0, uint32_t k1) {
  philox_rounds(c0, c1, c2, c3, k0, k1, std::make_integer_sequence<uint32_t, 10>{});
}

// Returns the four random words for `counter` under `key`.
constexpr std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter,
                                             std::array<uint32_t, 2> key) {
  philox_rounds(counter[0], counter[1], counter[2], counter[3], key[0], key[1]);
  return counter;
}

}  // namespace halfstep

#endif  // HALFSTEP_CORE_PHILOX_H_
