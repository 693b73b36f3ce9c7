// Opens a data set of any supported format.
#ifndef HALFSTEP_DATA_OPEN_DATASET_H_
#define HALFSTEP_DATA_OPEN_DATASET_H_

#include <filesystem>
#include <memory>

#include "halfstep/data/dataset.h"

namespace halfstep::data {

// Opens the data set at `path` and recognises its format:
//   - IDX files of the MNIST family, plain or gzip: the folder or the images file
//   - the binary version of CIFAR-10: the folder, its parent or cifar-10-binary.tar.gz
//   - a .npy file with uint8 [N, H, W, C] or float32 [N, C, ...], with optional labels in
//     NAME.labels.npy
//   - a folder of downsampled ImageNet's .npz files
//   - an LMDB of encoded images, such as those of LSUN
//   - a folder or zip of images (see io/image.h), with labels in dataset.json (EDM) or with one
//     folder per class
// docs/formats.md describes each of them.
// Throws ConfigError if the format is not recognised or the split does not exist, FormatError for
// invalid files, and IoError if the path does not exist or cannot be read.
std::unique_ptr<Dataset> open_dataset(const std::filesystem::path& path,
                                      const DatasetOptions& options = {});

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_OPEN_DATASET_H_
