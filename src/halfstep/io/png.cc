// PNG, by libpng.
//
// libpng reports errors by longjmp, which does not call destructors. So functions that call setjmp
// hold only plain values, and their callers own all memory.
#include <png.h>

#include <csetjmp>
#include <cstdint>
#include <cstring>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/io/codecs.h"
#include "halfstep/io/exif.h"
#include "halfstep/io/image.h"

namespace halfstep::io {

namespace {

// State for libpng's callbacks.
struct Context {
  const std::byte* next = nullptr;  // next byte to read
  std::size_t left = 0;
  std::vector<std::byte>* written = nullptr;
  char reason[128] = "out of memory";
};

void on_error(png_structp png, png_const_charp message) {
  auto* context = static_cast<Context*>(png_get_error_ptr(png));
  std::strncpy(context->reason, message, sizeof(context->reason) - 1);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

void on_read(png_structp png, png_bytep to, std::size_t size) {
  auto* context = static_cast<Context*>(png_get_io_ptr(png));
  if (size > context->left) png_error(png, "the end of the file");
  std::memcpy(to, context->next, size);
  context->next += size;
  context->left -= size;
}

void on_write(png_structp png, png_bytep from, std::size_t size) {
  auto* written = static_cast<Context*>(png_get_io_ptr(png))->written;
  bool full = false;
  try {
    const auto* bytes = reinterpret_cast<const std::byte*>(from);
    written->insert(written->end(), bytes, bytes + size);
  } catch (...) {  // exceptions must not propagate through C code
    full = true;
  }
  if (full) png_error(png, "out of memory");
}

void on_flush(png_structp) {}

class Reader {
 public:
  explicit Reader(Context& context)
      : png_(png_create_read_struct(PNG_LIBPNG_VER_STRING, &context, on_error, on_warning)),
        info_(png_ != nullptr ? png_create_info_struct(png_) : nullptr) {
    if (info_ == nullptr) {
      png_destroy_read_struct(&png_, &info_, nullptr);
      throw IoError("decode_png", "memory: expected some for libpng, received none");
    }
    png_set_read_fn(png_, &context, on_read);
  }
  ~Reader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // Reads up to the pixels and sets width, height, channels and row_bytes to those of the result.
  bool read_header() {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_set_user_limits(png_, kMaxImageSide, kMaxImageSide);
    // Chunks that are not needed are not unpacked: a file may have any number of them.
    const png_byte skipped[] = "tEXt\0zTXt\0iTXt\0iCCP\0sPLT";
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, skipped, 5);
    png_set_chunk_malloc_max(png_, 1 << 23);
    png_read_info(png_, info_);
    png_set_palette_to_rgb(png_);
    png_set_expand_gray_1_2_4_to_8(png_);
    png_set_scale_16(png_);
    png_set_strip_alpha(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    width = png_get_image_width(png_, info_);
    height = png_get_image_height(png_, info_);
    channels = png_get_channels(png_, info_);
    row_bytes = png_get_rowbytes(png_, info_);
    return true;
  }

  // `rows` has `height` pointers to `row_bytes` bytes each. Reads to the last chunk, so that all
  // checksums are verified and a truncated file is detected.
  bool read_pixels(png_bytep* rows) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_read_image(png_, rows);
    png_read_end(png_, info_);
    return true;
  }

  // Returns the orientation in the Exif chunk, before or after the pixels, or 1.
  int orientation() {
    png_bytep exif = nullptr;
    png_uint_32 size = 0;
    if (png_get_eXIf_1(png_, info_, &size, &exif) == 0 || exif == nullptr) return 1;
    return exif_orientation(std::as_bytes(std::span(exif, size)));
  }

  std::uint32_t width = 0;
  std::uint32_t height = 0;
  int channels = 0;
  std::size_t row_bytes = 0;

 private:
  png_structp png_;
  png_infop info_;
};

class Writer {
 public:
  explicit Writer(Context& context)
      : png_(png_create_write_struct(PNG_LIBPNG_VER_STRING, &context, on_error, on_warning)),
        info_(png_ != nullptr ? png_create_info_struct(png_) : nullptr) {
    if (info_ == nullptr) {
      png_destroy_write_struct(&png_, &info_);
      throw IoError("encode_png", "memory: expected some for libpng, received none");
    }
    png_set_write_fn(png_, &context, on_write, on_flush);
  }
  ~Writer() { png_destroy_write_struct(&png_, &info_); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  bool write(int width, int height, int channels, png_bytep* rows, PngCompression compression) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    if (compression == PngCompression::none) {
      png_set_compression_level(png_, 0);
      png_set_filter(png_, PNG_FILTER_TYPE_BASE, PNG_FILTER_NONE);
    }
    png_set_IHDR(png_, info_, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height), 8,
                 channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png_, info_);
    png_write_image(png_, rows);
    png_write_end(png_, nullptr);
    return true;
  }

 private:
  png_structp png_;
  png_infop info_;
};

std::vector<png_bytep> rows_of(std::uint8_t* pixels, std::size_t height, std::size_t row_bytes) {
  std::vector<png_bytep> rows(height);
  for (std::size_t y = 0; y < height; ++y) rows[y] = pixels + y * row_bytes;
  return rows;
}

}  // namespace

Image decode_png(std::span<const std::byte> contents, const std::string& name) {
  Context context{.next = contents.data(), .left = contents.size()};
  Reader reader(context);
  if (!reader.read_header()) fail_decode(name, "png", context.reason);
  require_size(reader.width, reader.height, name);
  Image image{static_cast<int>(reader.width), static_cast<int>(reader.height), reader.channels, {}};
  const std::size_t channels = image.channels == 1 ? 1 : 3;
  if (reader.row_bytes != reader.width * channels) {
    fail_decode(name, "png", "a combination of colour type and depth that PNG does not have");
  }
  image.pixels.resize(reader.row_bytes * reader.height);
  auto rows = rows_of(image.pixels.data(), reader.height, reader.row_bytes);
  if (!reader.read_pixels(rows.data())) fail_decode(name, "png", context.reason);
  return upright(std::move(image), reader.orientation());
}

std::vector<std::byte> encode_png(const Image& image, PngCompression compression) {
  const auto [width, height, channels, pixels] =
      std::tie(image.width, image.height, image.channels, image.pixels);
  const std::int64_t size = std::int64_t{width} * height * channels;
  if (width < 1 || height < 1 || (channels != 1 && channels != 3) ||
      static_cast<std::uint64_t>(size) != pixels.size()) {
    throw ConfigError("encode_png", "image: expected [height, width, 1 or 3] pixels, received [" +
                                        std::to_string(height) + ", " + std::to_string(width) +
                                        ", " + std::to_string(channels) + "] and " +
                                        std::to_string(pixels.size()) + " bytes");
  }
  std::vector<std::byte> result;
  Context context{.written = &result};
  Writer writer(context);
  // libpng takes non-const rows but does not modify them.
  auto rows = rows_of(const_cast<std::uint8_t*>(pixels.data()), static_cast<std::size_t>(height),
                      static_cast<std::size_t>(width) * static_cast<std::size_t>(channels));
  if (!writer.write(width, height, channels, rows.data(), compression)) {
    throw ConfigError(
        "encode_png",
        std::string("image: expected one that PNG can hold, received ") + context.reason);
  }
  return result;
}

}  // namespace halfstep::io
