// Downsampled ImageNet (Chrabaszcz et al. 2017) in the batches it is handed out in:
// train_data_batch_1.npz, train_data_batch_2.npz, ... and val_data.npz, the test split. In each,
// `data` is uint8 [N, 3 S S], an image a row, its red, green and blue planes one after the other;
// `labels` are integers [N] from 1; other arrays, such as the mean, are passed over.
//
// Images are read as they are wanted, so the whole may be larger than memory: from the batch where
// `data` is stored in it; where it is compressed, from a scratch file that it is unpacked into when
// the data set is opened (io/random_access.h).
#ifndef HALFSTEP_DATA_IMAGENET_NPZ_H_
#define HALFSTEP_DATA_IMAGENET_NPZ_H_

#include <filesystem>
#include <memory>

#include "halfstep/data/dataset.h"

namespace halfstep::data {

// Whether `path` is a folder with batches, by name.
bool is_imagenet_npz(const std::filesystem::path& path);

// Throws ConfigError where the split is not there; FormatError for a missing batch between others,
// and for arrays of another type, shape or order.
std::unique_ptr<Dataset> open_imagenet_npz(const std::filesystem::path& path,
                                           const DatasetOptions& options);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_IMAGENET_NPZ_H_
