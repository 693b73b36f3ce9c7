// Tiny data sets in the formats that are read, made by the tests that read them.
#ifndef HALFSTEP_TESTS_DATA_DATA_FILES_H_
#define HALFSTEP_TESTS_DATA_DATA_FILES_H_

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "halfstep/data/dataset.h"
#include "halfstep/io/image.h"

namespace halfstep::data {

// `count` bytes: first, first + 1, ... (modulo 256).
std::vector<uint8_t> counting_bytes(size_t count, int first = 0);

// An IDX file of bytes.
std::string idx_file(std::initializer_list<uint32_t> shape, const std::vector<uint8_t>& values);

// A gzip file with one member.
std::string gzip_file(const std::string& contents);

// One member of a tar archive, its header's checksum right; two blocks of zeros end an archive.
std::string tar_member(const std::string& name, const std::string& contents, char type = '0');
std::string tar_end();

// A CIFAR-10 batch: record r has labels[r] and pixels that are all fill + r.
std::string cifar_batch(const std::vector<uint8_t>& labels, int fill = 0);

// All six files of CIFAR-10 with two images each: training image i has label i and value 10 i; test
// image i label 9 - i, value 200 + i. By name.
std::vector<std::pair<std::string, std::string>> cifar_files();

// An image with every value its own.
io::Image counting_image(int width, int height, int channels, int first = 0);

// Writes a PNG, making the folders above it.
void write_image(const std::filesystem::path& path, const io::Image& image);

// A zip of (name, contents); compressed is as other programs write it.
using Files = std::vector<std::pair<std::string, std::string>>;
void write_zip(const std::filesystem::path& path, const Files& files, bool compressed = false);

// The bytes of a PNG.
std::string png_file(const io::Image& image);

// Image `index` as read() gives it; `label` as well where it is wanted.
std::vector<uint8_t> pixels_of(const Dataset& dataset, int64_t index, int32_t* label = nullptr);
std::vector<int32_t> labels_of(const Dataset& dataset);

}  // namespace halfstep::data

#endif  // HALFSTEP_TESTS_DATA_DATA_FILES_H_
