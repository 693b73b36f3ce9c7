// A data set of uncompressed images of one size, or of other examples in float32, one after the
// other in memory or in files.
#ifndef HALFSTEP_DATA_RAW_DATASET_H_
#define HALFSTEP_DATA_RAW_DATASET_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "halfstep/data/dataset.h"

namespace halfstep::data {

// Fills `to` with the bytes from `offset` on; called from several threads at once.
using ReadAt = std::function<void(uint64_t offset, std::span<std::byte> to)>;

ReadAt in_memory(std::vector<uint8_t> bytes);

struct RawImages {
  int64_t count = 0;    // images
  uint64_t offset = 0;  // of the first
  ReadAt read_at;
};

enum class PixelOrder {
  planes,       // [channels, height, width]
  interleaved,  // [height, width, channels]
};

class RawDataset : public Dataset {
 public:
  // `parts` follow one another; info.size is the sum of their counts. `labels` is [size], or empty
  // where num_classes is 0. Throws FormatError for no images, for another number of labels, and for
  // a label outside [0, num_classes). With options.image_size `info` changes, and images are
  // resized as they are read. Numbers of float32 that are not finite are a FormatError of read().
  RawDataset(DatasetInfo info, std::vector<RawImages> parts, PixelOrder order,
             std::vector<int32_t> labels, const DatasetOptions& options);

  const DatasetInfo& info() const override { return info_; }
  int32_t read(int64_t index, std::span<uint8_t> chw) const override;

  // Of the shape, the labels and up to 4096 images spread evenly. The same images in another
  // container (plain or gzip, folder or archive) have the same fingerprint.
  std::string fingerprint() const override;

 private:
  void read_as_stored(int64_t index, std::span<uint8_t> chw) const;

  DatasetInfo stored_;
  DatasetInfo info_;
  std::vector<RawImages> parts_;
  PixelOrder order_;
  std::vector<int32_t> labels_;
};

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_RAW_DATASET_H_
