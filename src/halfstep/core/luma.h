#ifndef HALFSTEP_CORE_LUMA_H_
#define HALFSTEP_CORE_LUMA_H_

#include <cstdint>

namespace halfstep {

// The luma of ITU-R BT.601, 0.299 R + 0.587 G + 0.114 B, in the fixed-point form of Pillow's
// convert("L"): the weights are multiples of 2^-16, and the sum is rounded to the nearest level.
struct Luma {
  static constexpr int kRed = 19595;
  static constexpr int kGreen = 38470;
  static constexpr int kBlue = 7471;
  static constexpr int kBits = 16;
  static constexpr int kHalf = 1 << (kBits - 1);

  static constexpr std::uint8_t of(int red, int green, int blue) {
    return static_cast<std::uint8_t>((kRed * red + kGreen * green + kBlue * blue + kHalf) >> kBits);
  }
};

}  // namespace halfstep

#endif  // HALFSTEP_CORE_LUMA_H_
