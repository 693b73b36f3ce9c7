#include "tests/data/data_files.h"

#include <zip.h>
#include <zlib.h>

#include <cstdio>
#include <stdexcept>

namespace halfstep::data {

std::vector<uint8_t> counting_bytes(size_t count, int first) {
  std::vector<uint8_t> bytes(count);
  for (size_t i = 0; i < count; ++i)
    bytes[i] = static_cast<uint8_t>(static_cast<size_t>(first) + i);
  return bytes;
}

std::string idx_file(std::initializer_list<uint32_t> shape, const std::vector<uint8_t>& values) {
  std::string file = {0, 0, 8, static_cast<char>(shape.size())};
  for (const uint32_t size : shape) {
    for (int shift = 24; shift >= 0; shift -= 8) file += static_cast<char>(size >> shift & 0xFF);
  }
  return file + std::string(values.begin(), values.end());
}

std::string gzip_file(const std::string& contents) {
  z_stream stream = {};
  if (deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("deflateInit2");
  }
  std::string packed(deflateBound(&stream, contents.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(contents.data()));
  stream.avail_in = static_cast<uInt>(contents.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string tar_member(const std::string& name, const std::string& contents, char type) {
  std::string header(512, '\0');
  const auto put = [&](size_t at, const std::string& text) {
    header.replace(at, text.size(), text);
  };
  const auto octal = [](size_t value, int digits) {
    char text[16];
    std::snprintf(text, sizeof text, "%0*zo", digits, value);
    return std::string(text);
  };
  put(0, name);
  put(100, "0000644");
  put(124, octal(contents.size(), 11));
  put(148, "        ");
  header[156] = type;
  put(257, "ustar");
  put(263, "00");
  size_t sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  put(148, octal(sum, 6) + std::string("\0 ", 2));
  return header + contents + std::string((512 - contents.size() % 512) % 512, '\0');
}

std::string tar_end() { return std::string(1024, '\0'); }

std::string cifar_batch(const std::vector<uint8_t>& labels, int fill) {
  std::string batch;
  for (const uint8_t label : labels) {
    batch += static_cast<char>(label);
    batch += std::string(3072, static_cast<char>(fill++));
  }
  return batch;
}

std::vector<std::pair<std::string, std::string>> cifar_files() {
  std::vector<std::pair<std::string, std::string>> files;
  for (int i = 0; i < 5; ++i) {
    const int first = 2 * i;
    files.emplace_back("data_batch_" + std::to_string(i + 1) + ".bin",
                       cifar_batch({static_cast<uint8_t>(first)}, 10 * first) +
                           cifar_batch({static_cast<uint8_t>(first + 1)}, 10 * first + 10));
  }
  files.emplace_back("test_batch.bin", cifar_batch({9, 8}, 200));
  return files;
}

io::Image counting_image(int width, int height, int channels, int first) {
  const size_t size =
      static_cast<size_t>(width) * static_cast<size_t>(height) * static_cast<size_t>(channels);
  return {width, height, channels, counting_bytes(size, first)};
}

void write_image(const std::filesystem::path& path, const io::Image& image) {
  std::filesystem::create_directories(path.parent_path());
  io::write_png(path, image);
}

void write_zip(const std::filesystem::path& path, const Files& files, bool compressed) {
  int code = 0;
  zip_t* archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code);
  if (archive == nullptr) throw std::runtime_error("zip_open");
  for (const auto& [name, contents] : files) {
    zip_source_t* source = zip_source_buffer(archive, contents.data(), contents.size(), 0);
    const zip_int64_t index = zip_file_add(archive, name.c_str(), source, ZIP_FL_ENC_UTF_8);
    if (index < 0) throw std::runtime_error("zip_file_add");
    zip_set_file_compression(archive, static_cast<zip_uint64_t>(index),
                             compressed ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0);
  }
  if (zip_close(archive) != 0) throw std::runtime_error("zip_close");
}

std::string png_file(const io::Image& image) {
  const std::vector<std::byte> bytes = io::encode_png(image);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::vector<uint8_t> pixels_of(const Dataset& dataset, int64_t index, int32_t* label) {
  std::vector<uint8_t> pixels(static_cast<size_t>(dataset.info().example_bytes()));
  const int32_t read = dataset.read(index, pixels);
  if (label != nullptr) *label = read;
  return pixels;
}

std::vector<int32_t> labels_of(const Dataset& dataset) {
  std::vector<int32_t> labels(static_cast<size_t>(dataset.info().size));
  for (size_t i = 0; i < labels.size(); ++i) {
    pixels_of(dataset, static_cast<int64_t>(i), &labels[i]);
  }
  return labels;
}

}  // namespace halfstep::data
