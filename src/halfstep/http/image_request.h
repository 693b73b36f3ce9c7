// The body of a request for images: JSON in the form of OpenAI's images API, with fields of our
// own.
//
//   model            name of a loaded model; may be left out if there is only one
//   prompt           the name of a class, because clients of that API must send one; "" for none
//   n                number of images, 1 to kMostImages
//   size             "28x28", the size of the model's images, or "auto"
//   response_format  "b64_json"
//   user             any text; ignored
//   class            number or name of a class, or "none" for the null class
//   seed             of the first image; the others have the seeds that follow
//   seeds            one per image, instead of seed
//   guidance         the guidance weight
//   image            for a model that restores images: an image file in Base64
//   mask             for inpainting: an image file in Base64 whose white pixels are filled in
//   format           "png" or "webp" (lossless)
#ifndef HALFSTEP_HTTP_IMAGE_REQUEST_H_
#define HALFSTEP_HTTP_IMAGE_REQUEST_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "halfstep/core/enum_names.h"
#include "halfstep/core/error.h"
#include "halfstep/http/served_model.h"

namespace halfstep::http {

inline constexpr int64_t kMostImages = 64;  // per request

enum class ImageFormat { png, webp };

struct ImageRequest {
  std::size_t model = 0;  // index
  std::vector<Row> rows;
  ImageFormat format = ImageFormat::png;
};

// The request names a model that is not loaded.
class UnknownModelError : public FormatError {
 public:
  using FormatError::FormatError;
};

// Parses and checks a body. `random_seed` is called if there is no seed. Throws UnknownModelError,
// and FormatError for anything else that is wrong, unknown fields included.
ImageRequest parse_image_request(std::string_view body, const std::vector<ServedModel>& models,
                                 const std::function<uint64_t()>& random_seed);

}  // namespace halfstep::http

namespace halfstep {

template <>
struct EnumNames<http::ImageFormat> {
  static constexpr auto kNames = std::to_array<std::pair<http::ImageFormat, std::string_view>>(
      {{http::ImageFormat::png, "png"}, {http::ImageFormat::webp, "webp"}});
};

}  // namespace halfstep

#endif  // HALFSTEP_HTTP_IMAGE_REQUEST_H_
