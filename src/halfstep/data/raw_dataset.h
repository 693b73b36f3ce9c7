// A data set of uncompressed examples, stored contiguously in memory or in files: images of one
// size, or float32 arrays of one shape.
#ifndef HALFSTEP_DATA_RAW_DATASET_H_
#define HALFSTEP_DATA_RAW_DATASET_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "halfstep/data/dataset.h"

namespace halfstep::data {

// Fills `to` with the bytes at `offset`. Must be thread-safe.
using ReadAt = std::function<void(uint64_t offset, std::span<std::byte> to)>;

// Returns a function that reads from `bytes`.
ReadAt in_memory(std::vector<uint8_t> bytes);

// Consecutive examples of a data set.
struct RawPart {
  int64_t count = 0;    // number of examples
  uint64_t offset = 0;  // offset of the first example, in bytes
  ReadAt read_at;
};

enum class PixelOrder {
  planes,       // [channels, height, width]
  interleaved,  // [height, width, channels]
};

class RawDataset : public Dataset {
 public:
  // The data set is the concatenation of `parts`; info.size is ignored. `labels` has one label per
  // example, or is empty if num_classes is 0. With options.image_size, images are resized when they
  // are read, and info() has the new size. Throws FormatError if there are no examples, for another
  // number of labels, and for a label outside [0, num_classes). read() throws FormatError for
  // float32 examples with infinity or NaN.
  RawDataset(DatasetInfo info, std::vector<RawPart> parts, PixelOrder order,
             std::vector<int32_t> labels, const DatasetOptions& options);

  const DatasetInfo& info() const override { return info_; }
  int32_t read(int64_t index, std::span<uint8_t> chw) const override;

  // Hashes the format, the shape, the labels and all examples, in the first call. The same images
  // in another container (plain or gzip, folder or archive) have the same fingerprint.
  std::string fingerprint() const override;

 private:
  std::string hash() const;
  void read_as_stored(int64_t index, std::span<uint8_t> chw) const;

  DatasetInfo stored_;  // before resizing
  DatasetInfo info_;
  std::vector<RawPart> parts_;
  PixelOrder order_;
  std::vector<int32_t> labels_;
  mutable std::once_flag hashed_;
  mutable std::string fingerprint_;
};

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_RAW_DATASET_H_
