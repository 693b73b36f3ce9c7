// The random words behind a key, for code that computes them elsewhere than core/random.cc.
#ifndef HALFSTEP_CORE_RANDOM_STREAM_H_
#define HALFSTEP_CORE_RANDOM_STREAM_H_

#include <array>
#include <cstdint>

#include "halfstep/core/random.h"

namespace halfstep {

// A sequence of random words: word i is word i % 4 of philox4x32({i / 4, counter...}, key).
// counter[0] is the key's `example`, on which nothing else depends.
struct RandomStream {
  std::array<uint32_t, 2> key;
  std::array<uint32_t, 3> counter;
};

// Returns the sequence of a key. `attempt` tells further sequences of the same key apart.
RandomStream stream_of(const RandomKey& key, uint32_t attempt = 0);

}  // namespace halfstep

#endif  // HALFSTEP_CORE_RANDOM_STREAM_H_
