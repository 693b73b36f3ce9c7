// From a path to a data set, whatever its format.
#ifndef HALFSTEP_DATA_OPEN_DATASET_H_
#define HALFSTEP_DATA_OPEN_DATASET_H_

#include <filesystem>
#include <memory>

#include "halfstep/data/dataset.h"

namespace halfstep::data {

// Recognises
//   - MNIST-family IDX files, plain or gzip: the folder, or the path of the images file (idx.h);
//   - CIFAR-10's binary version: the folder, its parent, or cifar-10-binary.tar.gz (cifar10.h);
//   - a .npy file of uint8 [N, H, W, C] or float32 [N, C, ...], with NAME.labels.npy beside it
//   where there are labels (npy_dataset.h);
//   - a folder of downsampled ImageNet's .npz batches (imagenet_npz.h);
//   - an LMDB of encoded images, such as LSUN's (lmdb.h);
//   - a folder or zip of PNG, JPEG and WebP images: labels in dataset.json (EDM), or class = top
//   folder (image_folder.h, image_zip.h).
// Throws ConfigError for a path that is none of these or lacks the split, saying what was found and
// what is accepted; FormatError for broken files; IoError for a path that does not exist.
std::unique_ptr<Dataset> open_dataset(const std::filesystem::path& path,
                                      const DatasetOptions& options = {});

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_OPEN_DATASET_H_
