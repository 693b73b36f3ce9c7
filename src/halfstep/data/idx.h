// IDX files, the format of the MNIST family (MNIST, Fashion-MNIST, KMNIST, EMNIST), plain or gzip:
// the bytes 00 00 08 DIMS, then DIMS big-endian sizes of four bytes, then the data bytes.
//
// A data set is an images file ("...images-idx3-ubyte", [N, H, W]) and, in the same folder, a
// labels file with the corresponding name ("...labels-idx1-ubyte", [N]). Without a labels file the
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

// Parses an IDX file. Throws FormatError, naming `name`, if the elements are not bytes or the size
// does not match the header.
IdxArray parse_idx(const std::string& contents, const std::string& name);

// Returns whether `path` is an IDX images file or a folder that contains one. Looks at names only.
bool is_idx(const std::filesystem::path& path);

// Reads a data set into memory. In a folder, the images file of the training split has "train" in
// its name, and that of the test split has "t10k" or "test". The path of a file selects that file,
// except that one with "train" in its name is not a test split. Throws ConfigError if the folder
// does not have exactly one images file of the split, and FormatError for invalid files.
std::unique_ptr<Dataset> open_idx(const std::filesystem::path& path, const DatasetOptions& options);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_IDX_H_
