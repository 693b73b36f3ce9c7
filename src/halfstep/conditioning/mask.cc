#include "halfstep/conditioning/mask.h"

#include <algorithm>
#include <array>
#include <string>

#include "halfstep/core/error.h"

namespace halfstep {
namespace {

constexpr int64_t kMostSide = int64_t{1} << 16;
constexpr int64_t kMostStrokes = 4;
constexpr int64_t kMostSegments = 4;
// Coordinates of strokes are in units, so many per pixel.
constexpr int64_t kUnit = 16;

struct Point {
  int64_t x = 0;
  int64_t y = 0;
};

// Gives out the numbers that one mask is drawn from, in their order.
class Draws {
 public:
  explicit Draws(const RandomKey& key) { fill_uniform(key, uniforms_); }

  // Returns an integer in [low, high].
  int64_t integer(int64_t low, int64_t high) {
    const auto count = static_cast<double>(high - low + 1);
    return low + std::min(static_cast<int64_t>(uniforms_[next_++] * count), high - low);
  }

 private:
  // A box takes 5; strokes 2 + 4 (4 + 4 * 2).
  std::array<double, 64> uniforms_{};
  size_t next_ = 0;
};

class Mask {
 public:
  Mask(int64_t height, int64_t width, std::span<uint8_t> known)
      : height_(height), width_(width), side_(std::min(height, width)), known_(known) {
    std::ranges::fill(known_, uint8_t{1});
  }

  void draw_box(Draws& draws) {
    const auto length = [&] {
      return draws.integer(std::max<int64_t>(side_ / 4, 1), std::max<int64_t>(5 * side_ / 8, 1));
    };
    const int64_t h = length(), w = length();
    const int64_t top = draws.integer(0, height_ - h), left = draws.integer(0, width_ - w);
    for (int64_t y = top; y < top + h; ++y)
      std::ranges::fill(
          known_.subspan(static_cast<size_t>(y * width_ + left), static_cast<size_t>(w)),
          uint8_t{0});
  }

  void draw_strokes(Draws& draws) {
    const int64_t strokes = draws.integer(1, kMostStrokes);
    for (int64_t i = 0; i < strokes; ++i) {
      const int64_t radius = draws.integer(side_ * kUnit / 16, side_ * kUnit / 8);
      const int64_t segments = draws.integer(2, kMostSegments);
      const Point most{.x = width_ * kUnit - 1, .y = height_ * kUnit - 1};
      Point from{.x = draws.integer(0, most.x), .y = draws.integer(0, most.y)};
      const int64_t reach = side_ * kUnit / 2;
      for (int64_t segment = 0; segment < segments; ++segment) {
        const Point to{.x = std::clamp<int64_t>(from.x + draws.integer(-reach, reach), 0, most.x),
                       .y = std::clamp<int64_t>(from.y + draws.integer(-reach, reach), 0, most.y)};
        erase_near(from, to, radius);
        from = to;
      }
    }
  }

 private:
  // Erases the pixels whose centres are at most `radius` away from the segment.
  void erase_near(const Point& from, const Point& to, int64_t radius) {
    const int64_t dx = to.x - from.x, dy = to.y - from.y;
    const int64_t squared_length = dx * dx + dy * dy;
    const auto pixel = [](int64_t unit) { return unit / kUnit; };
    const int64_t top = std::max<int64_t>(pixel(std::min(from.y, to.y) - radius), 0);
    const int64_t bottom = std::min(pixel(std::max(from.y, to.y) + radius), height_ - 1);
    const int64_t left = std::max<int64_t>(pixel(std::min(from.x, to.x) - radius), 0);
    const int64_t right = std::min(pixel(std::max(from.x, to.x) + radius), width_ - 1);
    for (int64_t row = top; row <= bottom; ++row) {
      for (int64_t column = left; column <= right; ++column) {
        const int64_t x = column * kUnit + kUnit / 2 - from.x;
        const int64_t y = row * kUnit + kUnit / 2 - from.y;
        const int64_t along = x * dx + y * dy;  // position along the segment, times its length
        const int64_t across = x * dy - y * dx;
        const auto is_within = [&](int64_t a, int64_t b) {
          return a * a + b * b <= radius * radius;
        };
        const bool erased = along <= 0 ? is_within(x, y)
                            : along >= squared_length
                                ? is_within(x - dx, y - dy)
                                : is_near_line(across, squared_length, radius);
        if (erased) known_[static_cast<size_t>(row * width_ + column)] = 0;
      }
    }
  }

  // Returns whether |across| / length <= radius. Products of float64 are rounded in the same way
  // everywhere.
  static bool is_near_line(int64_t across, int64_t squared_length, int64_t radius) {
    const auto distance = static_cast<double>(across), limit = static_cast<double>(radius);
    return distance * distance <= static_cast<double>(squared_length) * limit * limit;
  }

  int64_t height_;
  int64_t width_;
  int64_t side_;
  std::span<uint8_t> known_;
};

}  // namespace

void keyed_mask(const RandomKey& key, int64_t height, int64_t width, std::span<uint8_t> known) {
  const auto is_side = [](int64_t size) { return size >= 1 && size <= kMostSide; };
  if (!is_side(height) || !is_side(width) || known.size() != static_cast<size_t>(height * width)) {
    throw ConfigError("keyed_mask", "known: expected height x width pixels, received " +
                                        std::to_string(known.size()) + " for " +
                                        std::to_string(height) + " x " + std::to_string(width));
  }
  Draws draws(key);
  Mask mask(height, width, known);
  if (draws.integer(0, 1) == 0) {
    mask.draw_box(draws);
  } else {
    mask.draw_strokes(draws);
  }
}

}  // namespace halfstep
