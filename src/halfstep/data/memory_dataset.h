// A data set held in memory whole: what the formats that are one block of bytes become.
#ifndef HALFSTEP_DATA_MEMORY_DATASET_H_
#define HALFSTEP_DATA_MEMORY_DATASET_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "halfstep/data/dataset.h"

namespace halfstep::data {

class MemoryDataset : public Dataset {
 public:
  // `pixels` is [size, channels, height, width] and `labels` [size], or empty where num_classes is
  // 0. Throws FormatError for no images, for a number of bytes or labels that does not fit `info`,
  // and for a label outside [0, num_classes). With options.image_size every image is resized here,
  // once, and `info` follows.
  MemoryDataset(DatasetInfo info, std::vector<uint8_t> pixels, std::vector<int32_t> labels,
                const DatasetOptions& options);

  const DatasetInfo& info() const override { return info_; }
  int32_t read(int64_t index, std::span<uint8_t> chw) const override;

  // Of the shape, the labels and up to 4096 images spread evenly. The same images in another
  // container (plain or gzip, folder or archive) have the same fingerprint.
  std::string fingerprint() const override;

 private:
  void resize_all(int side);

  DatasetInfo info_;
  std::vector<uint8_t> pixels_;
  std::vector<int32_t> labels_;
};

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_MEMORY_DATASET_H_
