#include "halfstep/data/resize.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "halfstep/core/error.h"

namespace halfstep::data {
namespace {

// The weights of one output pixel on an axis: output = sum over k of weights[k] * input[first + k].
struct Taps {
  int first = 0;
  std::vector<float> weights;
};

// In units of 1/out of an input pixel, output pixel o covers [o in, (o + 1) in) and input pixel i
// covers [i out, (i + 1) out).
Taps area_taps(int64_t in, int64_t out, int64_t o) {
  const int64_t begin = o * in, end = begin + in;
  Taps taps{static_cast<int>(begin / out), {}};
  for (int64_t i = begin / out; i * out < end; ++i) {
    const int64_t overlap = std::min(end, (i + 1) * out) - std::max(begin, i * out);
    taps.weights.push_back(static_cast<float>(overlap) / static_cast<float>(in));
  }
  return taps;
}

Taps bilinear_taps(int in, int out, int o) {
  const double centre = (o + 0.5) * in / out - 0.5;
  if (centre <= 0.0) return {0, {1.0f}};
  if (centre >= in - 1) return {in - 1, {1.0f}};
  const double first = std::floor(centre);
  const auto share = static_cast<float>(centre - first);
  return {static_cast<int>(first), {1.0f - share, share}};
}

std::vector<Taps> taps_of_axis(int in, int out) {
  std::vector<Taps> taps;
  taps.reserve(static_cast<size_t>(out));
  for (int o = 0; o < out; ++o) {
    taps.push_back(out <= in ? area_taps(in, out, o) : bilinear_taps(in, out, o));
  }
  return taps;
}

// Resizes the rows: [height, in, channels] bytes to [height, taps.size(), channels] floats.
std::vector<float> resize_rows(const io::Image& image, const std::vector<Taps>& taps) {
  const auto channels = static_cast<size_t>(image.channels);
  const size_t in_row = static_cast<size_t>(image.width) * channels;
  std::vector<float> rows(static_cast<size_t>(image.height) * taps.size() * channels);
  auto out = rows.begin();
  for (size_t y = 0; y < static_cast<size_t>(image.height); ++y) {
    for (const Taps& tap : taps) {
      const uint8_t* in = &image.pixels[y * in_row + static_cast<size_t>(tap.first) * channels];
      for (size_t c = 0; c < channels; ++c) {
        float sum = 0.0f;
        for (size_t k = 0; k < tap.weights.size(); ++k)
          sum += tap.weights[k] * static_cast<float>(in[k * channels + c]);
        *out++ = sum;
      }
    }
  }
  return rows;
}

void require_side(const char* where, const char* what, int side, int largest) {
  if (side >= 1 && side <= largest) return;
  throw ConfigError(where, std::string(what) + ": expected 1 to " + std::to_string(largest) +
                               " pixels, received " + std::to_string(side));
}

}  // namespace

io::Image resize(const io::Image& image, int height, int width) {
  require_side("resize", "height", height, io::kMaxImageSide);
  require_side("resize", "width", width, io::kMaxImageSide);
  if (height == image.height && width == image.width) return image;

  const std::vector<float> rows = resize_rows(image, taps_of_axis(image.width, width));
  const size_t row = static_cast<size_t>(width) * static_cast<size_t>(image.channels);
  io::Image out{width, height, image.channels, {}};
  out.pixels.reserve(static_cast<size_t>(height) * row);
  std::vector<float> sums(row);
  for (const Taps& tap : taps_of_axis(image.height, height)) {
    std::ranges::fill(sums, 0.5f);  // rounds to the nearest byte
    for (size_t k = 0; k < tap.weights.size(); ++k) {
      const float* in = &rows[(static_cast<size_t>(tap.first) + k) * row];
      for (size_t i = 0; i < row; ++i) sums[i] += tap.weights[k] * in[i];
    }
    for (const float sum : sums) {
      out.pixels.push_back(static_cast<uint8_t>(std::clamp(sum, 0.0f, 255.0f)));
    }
  }
  return out;
}

io::Image centre_crop(const io::Image& image, int side) {
  require_side("centre_crop", "side", side, std::min(image.width, image.height));
  const auto channels = static_cast<size_t>(image.channels);
  const size_t row = static_cast<size_t>(side) * channels;
  const auto top = static_cast<size_t>((image.height - side) / 2);
  const auto left = static_cast<size_t>((image.width - side) / 2);
  io::Image out{side, side, image.channels, std::vector<uint8_t>(static_cast<size_t>(side) * row)};
  for (size_t y = 0; y < static_cast<size_t>(side); ++y) {
    const size_t from = ((top + y) * static_cast<size_t>(image.width) + left) * channels;
    std::copy_n(&image.pixels[from], row, &out.pixels[y * row]);
  }
  return out;
}

io::Image square(const io::Image& image, int side) {
  return resize(centre_crop(image, std::min(image.width, image.height)), side, side);
}

}  // namespace halfstep::data
