// Reads the size of an image from the beginning of its file, without decoding it.
#ifndef HALFSTEP_IO_IMAGE_HEADER_H_
#define HALFSTEP_IO_IMAGE_HEADER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace halfstep::io {

struct ImageHeader {
  int width = 0;  // of the upright image, in pixels
  int height = 0;
  int channels = 0;  // 1 or 3, as decode_image returns them
};

// Returns whether a file begins as one of the formats that read_image_header knows.
bool has_header(std::span<const std::byte> begin);

// Returns the header of a PNG, JPEG or WebP file of `size` bytes that begins and ends with these
// bytes, if they tell what decode_image would return and that the file is not cut short. Returns
// nullopt otherwise, also for files of which more bytes or a decoder would tell more: such as those
// with an Exif orientation, a palette or bytes after their end. Damage between the two ends is not
// seen.
std::optional<ImageHeader> read_image_header(std::span<const std::byte> begin,
                                             std::span<const std::byte> end, std::uint64_t size);

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_IMAGE_HEADER_H_
