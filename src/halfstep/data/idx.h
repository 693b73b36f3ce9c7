// IDX files, the format of MNIST and its family (Fashion-MNIST, KMNIST, EMNIST): big-endian header
// 00 00 08 DIMS and sizes, then bytes. Plain or gzip.
//
// A data set is an images file ("...images-idx3-ubyte", [N, H, W]) and the labels file beside it
// ("...labels-idx1-ubyte", [N]) whose name is the same but for the word. Where there is none, the
// images have no labels. Classes are 0 to the greatest label.
#ifndef HALFSTEP_DATA_IDX_H_
#define HALFSTEP_DATA_IDX_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "halfstep/data/dataset.h"

namespace halfstep::data {

struct IdxArray {
  std::vector<int64_t> shape;
  std::vector<uint8_t> values;
};

// Throws FormatError naming `name` for another element type than bytes and unless the size is what
// the header says.
IdxArray parse_idx(const std::string& contents, const std::string& name);

// Whether `path` is an IDX images file, or a folder with one, by name.
bool is_idx(const std::filesystem::path& path);

// In a folder, the split's images file is the one whose name has "train" in it, or "t10k" or
// "test". A file is what it is; one with "train" in its name is not a test split. Throws
// ConfigError where the split is not there, or several are.
std::unique_ptr<Dataset> open_idx(const std::filesystem::path& path, const DatasetOptions& options);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_IDX_H_
