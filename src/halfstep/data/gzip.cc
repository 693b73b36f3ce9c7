#include "halfstep/data/gzip.h"

#include <zlib.h>

#include <algorithm>

#include "halfstep/core/error.h"
#include "halfstep/io/file.h"

namespace halfstep::data {
namespace {

constexpr std::string_view kMagic = "\x1f\x8b";

class Inflater {
 public:
  Inflater() {
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    if (inflateInit2(&stream_, kGzipOnly) != Z_OK) {
      throw IoError("gzip", "zlib: expected memory for a decoder, received none");
    }
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  z_stream* operator->() { return &stream_; }
  int run() { return inflate(&stream_, Z_NO_FLUSH); }
  void restart() { inflateReset(&stream_); }

 private:
  z_stream stream_ = {};
};

}  // namespace

std::string gunzip(std::string_view packed, std::string_view name, uint64_t max_size) {
  constexpr size_t kPiece = size_t{1} << 16;  // zlib's counters have 32 bits
  const auto fail = [&](const std::string& received) {
    throw FormatError("gzip", std::string(name) + ": expected gzip data, received " + received +
                                  "; download the file again");
  };
  Inflater inflater;
  std::string out;
  std::string piece(kPiece, '\0');
  while (true) {
    const size_t given = std::min(packed.size(), kPiece);
    inflater->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    inflater->avail_in = static_cast<uInt>(given);
    inflater->next_out = reinterpret_cast<Bytef*>(piece.data());
    inflater->avail_out = static_cast<uInt>(kPiece);
    const int status = inflater.run();
    const size_t used = given - inflater->avail_in, made = kPiece - inflater->avail_out;
    packed.remove_prefix(used);
    if (made > max_size - out.size()) {
      throw FormatError("gzip", std::string(name) + ": expected at most " +
                                    std::to_string(max_size) + " bytes unpacked, received more");
    }
    out.append(piece, 0, made);
    if (status == Z_STREAM_END) {
      if (packed.starts_with(kMagic)) {
        inflater.restart();
      } else if (packed.find_first_not_of('\0') == packed.npos) {
        return out;
      } else {
        fail("trailing bytes");
      }
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      fail(inflater->msg != nullptr ? inflater->msg : "damaged data");
    } else if (used == 0 && made == 0) {
      fail("a truncated file");
    }
  }
}

bool is_gzip(std::string_view contents) { return contents.starts_with(kMagic); }

std::string gunzip_beginning(std::string_view packed, std::string_view name, size_t size) {
  Inflater inflater;
  std::string out(size, '\0');
  inflater->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  inflater->avail_in = static_cast<uInt>(std::min<size_t>(packed.size(), size_t{1} << 30));
  inflater->next_out = reinterpret_cast<Bytef*>(out.data());
  inflater->avail_out = static_cast<uInt>(size);
  const int status = inflater.run();
  if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
    throw FormatError("gzip", std::string(name) + ": expected gzip data, received " +
                                  (inflater->msg != nullptr ? inflater->msg : "damaged data") +
                                  "; download the file again");
  }
  out.resize(size - inflater->avail_out);
  return out;
}

std::string read_maybe_gzip(const std::filesystem::path& path, uint64_t max_size) {
  std::string contents = io::read_file(path);
  return is_gzip(contents) ? gunzip(contents, path.string(), max_size) : contents;
}

}  // namespace halfstep::data
