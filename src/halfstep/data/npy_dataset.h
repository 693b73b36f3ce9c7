// A data set in a NumPy file NAME.npy, with optional labels in NAME.labels.npy (integers [N];
// classes are 0 to the greatest label). Examples are read on demand, so the file may be larger than
// memory.
//
//   uint8    [N, H, W, C]   images; C is 1 or 3
//   float32  [N, C, ...]    non-image data, used as they are; their standard deviation should be
//                           about 1, which is that of the noise
#ifndef HALFSTEP_DATA_NPY_DATASET_H_
#define HALFSTEP_DATA_NPY_DATASET_H_

#include <filesystem>
#include <memory>

#include "halfstep/data/dataset.h"

namespace halfstep::data {

// Returns whether `path` is a .npy file, by name.
bool is_npy(const std::filesystem::path& path);

// Throws ConfigError for the test split (pass its own file instead). Throws FormatError for another
// element type, shape or order, for a file whose size does not match its header, and for labels
// that are negative or above one million. read() throws FormatError for infinity and NaN.
std::unique_ptr<Dataset> open_npy(const std::filesystem::path& path, const DatasetOptions& options);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_NPY_DATASET_H_
