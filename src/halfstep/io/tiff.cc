// TIFF, by libtiff. Only the first page is read.
#include <tiffio.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/io/codecs.h"
#include "halfstep/io/exif.h"

namespace halfstep::io {
namespace {

// The file in memory, for libtiff's callbacks.
struct Source {
  std::span<const std::byte> contents;
  std::uint64_t position = 0;
  char reason[200] = "";  // of the first error
};

tmsize_t on_read(thandle_t handle, void* to, tmsize_t size) {
  auto& source = *static_cast<Source*>(handle);
  const std::uint64_t left =
      source.contents.size() - std::min<std::uint64_t>(source.position, source.contents.size());
  const std::uint64_t got =
      std::min<std::uint64_t>(left, static_cast<std::uint64_t>(std::max<tmsize_t>(size, 0)));
  if (got > 0) std::memcpy(to, source.contents.data() + source.position, got);
  source.position += got;
  return static_cast<tmsize_t>(got);
}

tmsize_t on_write(thandle_t, void*, tmsize_t) { return 0; }

toff_t on_seek(thandle_t handle, toff_t offset, int whence) {
  auto& source = *static_cast<Source*>(handle);
  if (whence == SEEK_CUR) offset += source.position;
  if (whence == SEEK_END) offset += source.contents.size();
  return source.position = offset;
}

int on_close(thandle_t) { return 0; }

toff_t on_size(thandle_t handle) { return static_cast<Source*>(handle)->contents.size(); }

int on_error(TIFF*, void* data, const char*, const char* format, va_list arguments) {
  auto& reason = static_cast<Source*>(data)->reason;
  if (reason[0] == '\0') std::vsnprintf(reason, sizeof(reason), format, arguments);
  return 1;  // the message does not go to stderr
}

int on_warning(TIFF*, void*, const char*, const char*, va_list) { return 1; }

struct Close {
  void operator()(TIFF* tiff) const { TIFFClose(tiff); }
};

std::unique_ptr<TIFF, Close> open(Source& source) {
  TIFFOpenOptions* options = TIFFOpenOptionsAlloc();
  if (options == nullptr) throw IoError("tiff", "expected memory for libtiff, received none");
  TIFFOpenOptionsSetMaxSingleMemAlloc(options, 4 * tmsize_t{kMaxImagePixels});
  TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, &source);
  TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, nullptr);
  // m: do not map the file into memory.
  std::unique_ptr<TIFF, Close> tiff(TIFFClientOpenExt("tiff", "rm", &source, on_read, on_write,
                                                      on_seek, on_close, on_size, nullptr, nullptr,
                                                      options));
  TIFFOpenOptionsFree(options);
  return tiff;
}

std::uint16_t field(TIFF* tiff, std::uint32_t tag) {
  std::uint16_t value = 0;
  TIFFGetFieldDefaulted(tiff, tag, &value);
  return value;
}

bool is_grey_file(TIFF* tiff) {
  std::uint16_t photometric = 0;
  return TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &photometric) != 0 &&
         (photometric == PHOTOMETRIC_MINISBLACK || photometric == PHOTOMETRIC_MINISWHITE);
}

// Without this, libtiff would multiply the colours by alpha.
void ignore_alpha(TIFF* tiff) {
  std::uint16_t count = 0;
  const std::uint16_t* kinds = nullptr;
  TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &count, &kinds);
  const std::vector<std::uint16_t> as_stored(count, EXTRASAMPLE_ASSOCALPHA);
  if (count > 0) TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, count, as_stored.data());
}

}  // namespace

Image decode_tiff(std::span<const std::byte> contents, const std::string& name) {
  Source source{.contents = contents};
  const std::unique_ptr<TIFF, Close> tiff = open(source);
  const auto fail = [&](const char* otherwise) {
    fail_decode(name, "tiff", source.reason[0] != '\0' ? source.reason : otherwise);
  };
  if (!tiff) fail("an unreadable header");
  std::uint32_t width = 0, height = 0;
  TIFFGetField(tiff.get(), TIFFTAG_IMAGEWIDTH, &width);
  TIFFGetField(tiff.get(), TIFFTAG_IMAGELENGTH, &height);
  require_size(width, height, name);
  ignore_alpha(tiff.get());
  TIFFRGBAImage reader;
  char reason[1024] = "";
  constexpr int kStopOnError = 1;
  if (TIFFRGBAImageBegin(&reader, tiff.get(), kStopOnError, reason) == 0)
    fail_decode(name, "tiff", reason);
  const std::unique_ptr<TIFFRGBAImage, decltype(&TIFFRGBAImageEnd)> end(&reader, TIFFRGBAImageEnd);
  reader.req_orientation = reader.orientation;  // as stored
  std::vector<std::uint32_t> pixels(std::size_t{width} * height);
  if (TIFFRGBAImageGet(&reader, pixels.data(), width, height) == 0) fail("unreadable pixels");

  Image image{
      static_cast<int>(width), static_cast<int>(height), is_grey_file(tiff.get()) ? 1 : 3, {}};
  image.pixels.reserve(pixels.size() * static_cast<std::size_t>(image.channels));
  for (const std::uint32_t pixel : pixels) {
    image.pixels.push_back(static_cast<std::uint8_t>(TIFFGetR(pixel)));
    if (image.channels == 1) continue;
    image.pixels.push_back(static_cast<std::uint8_t>(TIFFGetG(pixel)));
    image.pixels.push_back(static_cast<std::uint8_t>(TIFFGetB(pixel)));
  }
  return upright(std::move(image), field(tiff.get(), TIFFTAG_ORIENTATION));
}

}  // namespace halfstep::io
