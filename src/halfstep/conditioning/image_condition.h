// Conditioning on images: models that restore an image from what is known of it, such as a copy of
// low resolution (Saharia et al. 2021, SR3; Saharia et al. 2022, Palette).
//
//   an image -> what is known of it (KnownImages) -> the network's input (condition_tensor)
//
// What is known of an image is a function of the image, the condition and, for masks, a key. So it
// is the same in training, evaluation, sampling and Python. All functions are pure, keep the device
// of their arguments, and may be called from several threads.
#ifndef HALFSTEP_CONDITIONING_IMAGE_CONDITION_H_
#define HALFSTEP_CONDITIONING_IMAGE_CONDITION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/core/random.h"
#include "halfstep/core/tensor.h"

namespace halfstep {

// What a model is conditioned on.
struct ImageCondition {
  enum class Kind {
    none,
    super_resolution,  // the averages of factor x factor pixels, enlarged
    inpainting,        // the image without the pixels of a mask, and the mask
    colour             // the luma of a colour image
  };
  static constexpr int64_t kMostFactor = 64;

  Kind kind = Kind::none;
  int64_t factor = 1;  // of super-resolution: 2 to kMostFactor

  bool is_on() const { return kind != Kind::none; }

  // Returns the condition as of() accepts it.
  std::string text() const;
  // Parses "none", "super-resolution:4", "inpainting" or "colour"; nullopt for any other text.
  static std::optional<ImageCondition> of(std::string_view text);

  // What of() accepts, for messages, and its name in --help.
  static constexpr const char* kSyntax =
      "none, super-resolution:FACTOR (2 to 64), inpainting or colour";
  static constexpr const char* kTypeName = "CONDITION";

  bool operator==(const ImageCondition&) const = default;
};

// What is known of B images of C x H x W pixels.
struct KnownImages {
  // uint8 [B, c, h, w]. Super-resolution: the images of low resolution, C x H / factor x W /
  // factor. Inpainting: the images, of which the missing pixels do not count. Colour: their luma,
  // 1 x H x W.
  Tensor pixels;
  // bool [B, 1, H, W], true for known pixels. Undefined unless the condition is inpainting.
  Tensor mask;

  bool defined() const { return pixels.defined(); }
  // Returns the part for images first to first + size - 1.
  KnownImages narrow(int64_t first, int64_t size) const;
};

// Returns the number of channels of condition_tensor for images of `channels` channels: 0 for none.
int64_t condition_channels(const ImageCondition& condition, int64_t channels);

// Throws ConfigError unless images of this shape, uint8 [channels, height, width], can be restored:
// FACTOR must divide both sizes, and colour needs three channels.
void require_restorable(const ImageCondition& condition, int64_t channels, int64_t height,
                        int64_t width);

// Returns what is known of images, uint8 [B, C, H, W]. Inpainting draws the mask of image i with
// keys[i] (mask.h); the other kinds do not use the keys. Averages are rounded to the nearest level,
// halves up; luma is that of core/luma.h. Throws as
// require_restorable.
KnownImages known_of(const ImageCondition& condition, const Tensor& images,
                     const std::vector<RandomKey>& keys);

// Returns which pixels are known of mask images, uint8 [B, C, H, W]: bool [B, 1, H, W]. Pixels
// whose mean is half the largest level or more (white) are missing, as in diffusers.
Tensor is_known(const Tensor& masks);

// Returns the height and width of the images that `known` is of. Throws ConfigError if a tensor is
// missing or has another type or shape than KnownImages says, for images of `channels` channels.
struct ImageSize {
  int64_t height = 0;
  int64_t width = 0;
};
ImageSize size_of(const ImageCondition& condition, const KnownImages& known, int64_t channels);

// Returns the input of the network, float32 [B, K, H, W], where pixels are in [-1, 1]:
//   super-resolution  the images, enlarged by bicubic interpolation (a = -0.75) and clipped
//   inpainting        the images, 0 where they are not known, and the mask as 0 and 1
//   colour            the luma
// Zeros mean that nothing is known.
Tensor condition_tensor(const ImageCondition& condition, const KnownImages& known);

// Returns a picture of what is known, uint8 [B, channels, H, W]: the pixels of condition_tensor,
// with middle grey where nothing is known.
Tensor picture_of(const ImageCondition& condition, const KnownImages& known, int64_t channels);

// Returns `images`, uint8 [B, C, H, W], with the known pixels of inpainting bit for bit; the images
// themselves for other conditions.
Tensor with_known_pixels(const Tensor& images, const KnownImages& known);

}  // namespace halfstep

#endif  // HALFSTEP_CONDITIONING_IMAGE_CONDITION_H_
