#include "halfstep/conditioning/image_condition.h"

#include <ATen/Functions.h>
#include <ATen/ops/upsample_bicubic2d.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "halfstep/conditioning/mask.h"
#include "halfstep/core/error.h"
#include "halfstep/core/luma.h"
#include "halfstep/core/shape.h"
#include "halfstep/diffusion/sample.h"

namespace halfstep {
namespace {

using Kind = ImageCondition::Kind;

constexpr std::string_view kSuperResolution = "super-resolution:";

[[noreturn]] void fail(const std::string& what) { throw ConfigError("condition", what); }

std::string times(int64_t height, int64_t width) {
  return std::to_string(height) + " x " + std::to_string(width);
}

// Returns the averages of factor x factor pixels, in integers.
Tensor area_averages(const Tensor& images, int64_t factor) {
  const int64_t height = images.size(2) / factor, width = images.size(3) / factor;
  const Tensor sums =
      images.reshape({images.size(0), images.size(1), height, factor, width, factor})
          .sum(at::IntArrayRef{3, 5}, /*keepdim=*/false, at::kInt);
  return sums.add(factor * factor / 2).floor_divide(factor * factor).to(at::kByte);
}

// Returns the luma (core/luma.h), uint8 [B, 1, H, W], of images of three channels.
Tensor luma(const Tensor& images) {
  const Tensor rgb = images.to(at::kInt);
  const auto channel = [&](int64_t c) { return rgb.narrow(1, c, 1); };
  return (Luma::kRed * channel(0) + Luma::kGreen * channel(1) + Luma::kBlue * channel(2) +
          Luma::kHalf)
      .bitwise_right_shift(Luma::kBits)
      .to(at::kByte);
}

Tensor keyed_masks(const std::vector<RandomKey>& keys, int64_t height, int64_t width) {
  const auto count = static_cast<int64_t>(keys.size());
  Tensor masks = at::empty({count, 1, height, width}, at::TensorOptions().dtype(at::kByte));
  const auto pixels = static_cast<size_t>(height * width);
  auto* values = masks.data_ptr<uint8_t>();
  for (size_t i = 0; i < keys.size(); ++i)
    keyed_mask(keys[i], height, width, {values + i * pixels, pixels});
  return masks.to(at::kBool);
}

}  // namespace

std::string ImageCondition::text() const {
  switch (kind) {
    case Kind::super_resolution:
      return std::string(kSuperResolution) + std::to_string(factor);
    case Kind::inpainting:
      return "inpainting";
    case Kind::colour:
      return "colour";
    case Kind::none:
      break;
  }
  return "none";
}

std::optional<ImageCondition> ImageCondition::of(std::string_view text) {
  for (const Kind kind : {Kind::none, Kind::inpainting, Kind::colour}) {
    const ImageCondition condition{.kind = kind};
    if (text == condition.text()) return condition;
  }
  if (!text.starts_with(kSuperResolution)) return std::nullopt;
  ImageCondition condition{.kind = Kind::super_resolution};
  const std::string_view number = text.substr(kSuperResolution.size());
  const char* const end = number.data() + number.size();
  const auto [rest, error] = std::from_chars(number.data(), end, condition.factor);
  const bool fits = condition.factor >= 2 && condition.factor <= kMostFactor;
  return error == std::errc() && rest == end && fits ? std::optional(condition) : std::nullopt;
}

KnownImages KnownImages::narrow(int64_t first, int64_t size) const {
  KnownImages part;
  if (pixels.defined()) part.pixels = pixels.narrow(0, first, size);
  if (mask.defined()) part.mask = mask.narrow(0, first, size);
  return part;
}

int64_t condition_channels(const ImageCondition& condition, int64_t channels) {
  switch (condition.kind) {
    case Kind::super_resolution:
      return channels;
    case Kind::inpainting:
      return channels + 1;
    case Kind::colour:
      return 1;
    case Kind::none:
      break;
  }
  return 0;
}

void require_restorable(const ImageCondition& condition, int64_t channels, int64_t height,
                        int64_t width) {
  if (condition.kind == Kind::colour && channels != 3)
    fail("colour: expected images of 3 channels, received " + std::to_string(channels));
  if (condition.kind == Kind::super_resolution &&
      (height % condition.factor != 0 || width % condition.factor != 0)) {
    fail(condition.text() + ": expected images whose sides are multiples of " +
         std::to_string(condition.factor) + ", received " + times(height, width));
  }
}

KnownImages known_of(const ImageCondition& condition, const Tensor& images,
                     const std::vector<RandomKey>& keys) {
  const int64_t height = images.size(2), width = images.size(3);
  require_restorable(condition, images.size(1), height, width);
  switch (condition.kind) {
    case Kind::super_resolution:
      return {.pixels = area_averages(images, condition.factor), .mask = {}};
    case Kind::inpainting: {
      const Tensor mask = keyed_masks(keys, height, width).to(images.device());
      return {.pixels = images * mask, .mask = mask};
    }
    case Kind::colour:
      return {.pixels = luma(images), .mask = {}};
    case Kind::none:
      break;
  }
  return {};
}

Tensor is_known(const Tensor& masks) {
  constexpr double kHalfLevel = 128.0;
  return masks.to(at::kFloat).mean(/*dim=*/1, /*keepdim=*/true).lt(kHalfLevel);
}

ImageSize size_of(const ImageCondition& condition, const KnownImages& known, int64_t channels) {
  if (!known.defined())
    fail(condition.text() + ": expected what is known of the images, received nothing");
  const Tensor& pixels = known.pixels;
  const int64_t expected = condition.kind == Kind::colour ? 1 : channels;
  if (pixels.scalar_type() != at::kByte || pixels.dim() != 4 || pixels.size(1) != expected) {
    fail(condition.text() + ": expected uint8 images of " + std::to_string(expected) +
         (expected == 1 ? " channel" : " channels") + ", received " +
         at::toString(pixels.scalar_type()) + " " + c10::str(pixels.sizes()));
  }
  ImageSize size{.height = pixels.size(2), .width = pixels.size(3)};
  if (condition.kind == Kind::super_resolution) {
    size.height *= condition.factor;
    size.width *= condition.factor;
  }
  if (known.mask.defined() != (condition.kind == Kind::inpainting)) {
    fail(condition.text() + ": expected " + (known.mask.defined() ? "no mask" : "a mask") +
         ", received " + (known.mask.defined() ? "one" : "none"));
  }
  if (known.mask.defined()) {
    require_shape("condition", "mask", known.mask,
                  {pixels.size(0), 1, pixels.size(2), pixels.size(3)});
  }
  return size;
}

Tensor condition_tensor(const ImageCondition& condition, const KnownImages& known) {
  const Tensor x = from_uint8(known.pixels.contiguous());
  if (condition.kind == Kind::super_resolution) {
    const std::array<int64_t, 2> size = {x.size(2) * condition.factor,
                                         x.size(3) * condition.factor};
    return at::upsample_bicubic2d(x, size, /*align_corners=*/false).clamp(-1.0, 1.0);
  }
  if (condition.kind == Kind::inpainting)
    return at::cat({x * known.mask, known.mask.to(at::kFloat)}, /*dim=*/1);
  return x;
}

Tensor picture_of(const ImageCondition& condition, const KnownImages& known, int64_t channels) {
  const Tensor tensor = condition_tensor(condition, known);
  const Tensor pixels = to_uint8(tensor.narrow(1, 0, std::min(channels, tensor.size(1))));
  return pixels.expand({-1, channels, -1, -1});
}

Tensor with_known_pixels(const Tensor& images, const KnownImages& known) {
  return known.mask.defined() ? at::where(known.mask, known.pixels, images) : images;
}

}  // namespace halfstep
