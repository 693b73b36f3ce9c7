// A NumPy file: NAME.npy, and NAME.labels.npy, integers [N], beside it where there are labels.
// Classes are 0 to the greatest label. It is read as its examples are wanted, so it may be larger
// than memory. It holds
//
//   uint8    [N, H, W, C]   images, C 1 or 3
//   float32  [N, C, ...]    examples of any other kind, taken as they are; the noise has deviation
//                           1, so they should have about that too
#ifndef HALFSTEP_DATA_NPY_DATASET_H_
#define HALFSTEP_DATA_NPY_DATASET_H_

#include <filesystem>
#include <memory>

#include "halfstep/data/dataset.h"

namespace halfstep::data {

// Whether `path` is a .npy file, by name.
bool is_npy(const std::filesystem::path& path);

// Throws ConfigError for the test split (give the file that holds it); FormatError for another
// element type, shape or order of indices, for a file of another size than its header says, and for
// labels that are negative or above a million. A number that is not finite is one when it is read.
std::unique_ptr<Dataset> open_npy(const std::filesystem::path& path, const DatasetOptions& options);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_NPY_DATASET_H_
