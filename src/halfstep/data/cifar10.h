// CIFAR-10 in its binary version: data_batch_1.bin to data_batch_5.bin (training) and
// test_batch.bin, each a row of records of one label byte and 3072 bytes of pixels [3, 32, 32].
#ifndef HALFSTEP_DATA_CIFAR10_H_
#define HALFSTEP_DATA_CIFAR10_H_

#include <filesystem>
#include <memory>

#include "halfstep/data/dataset.h"

namespace halfstep::data {

// Whether `path` is a folder with the .bin files, one with a cifar-10-batches-bin folder or
// cifar-10-binary.tar.gz in it, or a tar archive (plain or gzip), by name.
bool is_cifar10(const std::filesystem::path& path);

// Archives are read in memory. Throws ConfigError where none of the split's files is there;
// FormatError for a missing batch, a file that is no whole number of records, and a label above 9.
std::unique_ptr<Dataset> open_cifar10(const std::filesystem::path& path,
                                      const DatasetOptions& options);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_CIFAR10_H_
