// The binary version of CIFAR-10: data_batch_1.bin to data_batch_5.bin (training) and
// test_batch.bin. Each file is a sequence of records with one label byte and 3072 bytes of pixels
// [3, 32, 32].
#ifndef HALFSTEP_DATA_CIFAR10_H_
#define HALFSTEP_DATA_CIFAR10_H_

#include <filesystem>
#include <memory>

#include "halfstep/data/dataset.h"

namespace halfstep::data {

// Returns whether `path` is a folder with the .bin files, a folder that contains
// cifar-10-batches-bin or cifar-10-binary.tar.gz, or a tar archive (plain or gzip). Looks at names
// only.
bool is_cifar10(const std::filesystem::path& path);

// Reads the data set into memory. Throws ConfigError if none of the split's files exists, and
// FormatError for a missing batch, an incomplete record, or a label above 9.
std::unique_ptr<Dataset> open_cifar10(const std::filesystem::path& path,
                                      const DatasetOptions& options);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_CIFAR10_H_
