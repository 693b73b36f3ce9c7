// Writes small data sets in all supported formats, for the tests that read them.
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

// Returns `count` bytes: first, first + 1, ... (modulo 256).
std::vector<uint8_t> counting_bytes(size_t count, int first = 0);

// Returns an IDX file of bytes.
std::string idx_file(std::initializer_list<uint32_t> shape, const std::vector<uint8_t>& values);

// Returns a gzip file with one member.
std::string gzip_file(const std::string& contents);

// Returns a member of a tar archive with a valid checksum, and the two blocks of zeros that end an
// archive.
std::string tar_member(const std::string& name, const std::string& contents, char type = '0');
std::string tar_end();

// Returns a CIFAR-10 batch: all pixels of record r are fill + r, and its label is labels[r].
std::string cifar_batch(const std::vector<uint8_t>& labels, int fill = 0);

// Returns names and contents of the six files of CIFAR-10, with two images each. All pixels of
// training image i are 10 i and its label is i; all pixels of test image i are 200 + i and its
// label is 9 - i.
std::vector<std::pair<std::string, std::string>> cifar_files();

// Returns an image with the values first, first + 1, ...
io::Image counting_image(int width, int height, int channels, int first = 0);

// Writes a PNG and creates the folders above it.
void write_image(const std::filesystem::path& path, const io::Image& image);

// Writes a zip of (name, contents), stored or, as by most programs, compressed.
using Files = std::vector<std::pair<std::string, std::string>>;
void write_zip(const std::filesystem::path& path, const Files& files, bool compressed = false);

// Returns the contents of a PNG file.
std::string png_file(const io::Image& image);

// Returns image `index`, and sets `label` unless it is null.
std::vector<uint8_t> pixels_of(const Dataset& dataset, int64_t index, int32_t* label = nullptr);
// Returns the labels of all images.
std::vector<int32_t> labels_of(const Dataset& dataset);

}  // namespace halfstep::data

#endif  // HALFSTEP_TESTS_DATA_DATA_FILES_H_
