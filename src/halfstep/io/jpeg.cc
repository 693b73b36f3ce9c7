// JPEG, by libjpeg.
//
// libjpeg reports errors by longjmp, which does not call destructors. So functions that call setjmp
// hold only plain values, and decode_jpeg owns all memory.
#include <cstddef>
#include <cstdio>

// jpeglib.h needs the two headers above.
#include <jerror.h>
#include <jpeglib.h>

#include <algorithm>
#include <csetjmp>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "halfstep/io/codecs.h"
#include "halfstep/io/exif.h"

namespace halfstep::io {

namespace {

// Limit the time for a progressive file, which may have any number of scans, each as slow as the
// image is large; real ones have about ten.
constexpr int kMaxScans = 200;
constexpr std::int64_t kMaxScannedPixels = std::int64_t{1} << 30;

constexpr int kExifMarker = JPEG_APP0 + 1;

struct ErrorManager {
  jpeg_error_mgr base = {};  // must be first: libjpeg's pointer to it is cast to ErrorManager*
  std::jmp_buf jump;
  char reason[JMSG_LENGTH_MAX] = "";
};

[[noreturn]] void on_error(j_common_ptr info) {
  auto* errors = reinterpret_cast<ErrorManager*>(info->err);
  info->err->format_message(info, errors->reason);
  std::longjmp(errors->jump, 1);
}

// Turns the warning about a truncated file into an error; libjpeg would fill the rest with grey.
// Other warnings are about stray bytes, which common cameras write.
void on_message(j_common_ptr info, int level) {
  if (level < 0 && info->err->msg_code == JWRN_JPEG_EOF) on_error(info);
}

void on_progress(j_common_ptr info) {
  auto* decompress = reinterpret_cast<j_decompress_ptr>(info);
  const int scans = decompress->input_scan_number;
  const std::int64_t pixels = std::int64_t{decompress->image_width} * decompress->image_height;
  constexpr int kUsualScans = 16;
  if (scans <= kUsualScans || (scans <= kMaxScans && scans * pixels <= kMaxScannedPixels)) return;
  auto* errors = reinterpret_cast<ErrorManager*>(info->err);
  std::snprintf(errors->reason, sizeof(errors->reason), "%d or more scans", scans);
  std::longjmp(errors->jump, 1);
}

class Reader {
 public:
  Reader() {
    info_.err = jpeg_std_error(&errors_.base);
    errors_.base.error_exit = on_error;
    errors_.base.emit_message = on_message;
    progress_.progress_monitor = on_progress;
  }
  ~Reader() { jpeg_destroy_decompress(&info_); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  bool read_header(const unsigned char* data, unsigned long size) {
    if (setjmp(errors_.jump) != 0) return false;
    jpeg_create_decompress(&info_);
    info_.progress = &progress_;
    jpeg_mem_src(&info_, data, size);
    jpeg_save_markers(&info_, kExifMarker, 0xffff);
    jpeg_read_header(&info_, TRUE);
    if (info_.num_components == 4) {
      info_.out_color_space = JCS_CMYK;
    } else if (info_.num_components != 1) {
      info_.out_color_space = JCS_RGB;
    }
    return true;
  }

  // `row` has space for 4 * width bytes, `pixels` for width * height * (1 or 3).
  bool read_pixels(unsigned char* row, unsigned char* pixels) {
    if (setjmp(errors_.jump) != 0) return false;
    jpeg_start_decompress(&info_);
    while (info_.output_scanline < info_.output_height) {
      unsigned char* line = pixels + std::size_t{info_.output_scanline} * info_.output_width *
                                         (info_.num_components == 1 ? 1 : 3);
      JSAMPROW to = info_.num_components == 4 ? row : line;
      jpeg_read_scanlines(&info_, &to, 1);
      if (info_.num_components == 4) convert_cmyk(row, line);
    }
    jpeg_finish_decompress(&info_);
    return true;
  }

  // Returns the orientation in the first Exif marker, or 1. read_pixels() frees the markers.
  int orientation() const {
    for (jpeg_saved_marker_ptr marker = info_.marker_list; marker != nullptr;
         marker = marker->next) {
      const std::span<const unsigned char> data(marker->data, marker->data_length);
      if (data.size() >= 6 && std::memcmp(data.data(), "Exif\0\0", 6) == 0)
        return exif_orientation(std::as_bytes(data));
    }
    return 1;
  }

  unsigned width() const { return info_.image_width; }
  unsigned height() const { return info_.image_height; }
  int components() const { return info_.num_components; }
  const char* reason() const { return errors_.reason; }

 private:
  // The stored values are inverted ink, as Adobe's programs write them, whether or not there is
  // Adobe's marker. Rounds as Pillow does.
  void convert_cmyk(const unsigned char* cmyk, unsigned char* rgb) const {
    for (unsigned x = 0; x < info_.output_width; ++x) {
      const unsigned paper = cmyk[4 * x + 3];
      for (unsigned c = 0; c < 3; ++c) {
        const unsigned product = (255u - cmyk[4 * x + c]) * paper + 128;
        const unsigned ink = (product + (product >> 8)) >> 8;  // rounded product / 255
        rgb[3 * x + c] = static_cast<unsigned char>(paper - std::min(ink, paper));
      }
    }
  }

  jpeg_decompress_struct info_ = {};
  ErrorManager errors_;
  jpeg_progress_mgr progress_ = {};
};

}  // namespace

Image decode_jpeg(std::span<const std::byte> contents, const std::string& name) {
  Reader reader;
  if (!reader.read_header(reinterpret_cast<const unsigned char*>(contents.data()),
                          contents.size())) {
    fail_decode(name, "jpeg", reader.reason());
  }
  require_size(reader.width(), reader.height(), name);
  const int orientation = reader.orientation();
  Image image{static_cast<int>(reader.width()),
              static_cast<int>(reader.height()),
              reader.components() == 1 ? 1 : 3,
              {}};
  const std::size_t pixels = std::size_t{reader.width()} * reader.height();
  image.pixels.resize(pixels * static_cast<std::size_t>(image.channels));
  std::vector<unsigned char> row(std::size_t{reader.width()} * 4);
  if (!reader.read_pixels(row.data(), image.pixels.data())) {
    fail_decode(name, "jpeg", reader.reason());
  }
  return upright(std::move(image), orientation);
}

}  // namespace halfstep::io
