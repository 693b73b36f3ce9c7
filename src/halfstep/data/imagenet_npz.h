// Downsampled ImageNet (Chrabaszcz et al. 2017), as distributed: train_data_batch_1.npz,
// train_data_batch_2.npz, ... and val_data.npz, which is the test split. In each file, `data` is
// uint8 [N, 3 S S] with one image per row (red, green and blue plane), and `labels` are integers
// [N] from 1. Other arrays, such as the mean, are ignored.
//
// Images are read on demand, so the data set may be larger than memory. If `data` is compressed, it
// is unpacked to a scratch file when the data set is opened (see io/random_access.h).
#ifndef HALFSTEP_DATA_IMAGENET_NPZ_H_
#define HALFSTEP_DATA_IMAGENET_NPZ_H_

#include <filesystem>
#include <memory>

#include "halfstep/data/dataset.h"

namespace halfstep::data {

// Returns whether `path` is a folder with such files. Looks at names only.
bool is_imagenet_npz(const std::filesystem::path& path);

// Throws ConfigError if the split does not exist, and FormatError for a gap in the numbers of the
// batches and for arrays of another type, shape or order.
std::unique_ptr<Dataset> open_imagenet_npz(const std::filesystem::path& path,
                                           const DatasetOptions& options);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_IMAGENET_NPZ_H_
