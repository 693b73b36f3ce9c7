// What training and evaluation see of a data set: numbered images of one shape, as bytes; or, for
// networks of what is no image, numbered tensors of float32.
#ifndef HALFSTEP_DATA_DATASET_H_
#define HALFSTEP_DATA_DATASET_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "halfstep/core/enum_names.h"

namespace halfstep::data {

struct DatasetOptions {
  enum class Split { train, test };

  Split split = Split::train;
  // Every image is cut to its largest centred square and resized to this many pixels a side
  // (resize.h). Image files of mixed sizes need it; everywhere else nullopt keeps the images as
  // they are.
  std::optional<int64_t> image_size = {};
};

struct DatasetInfo {
  std::string name;         // such as "fashion-mnist": the name of the file or folder
  std::string format;       // such as "idx", "image-zip": what it was recognised as
  int64_t size = 0;         // number of images, or of other examples
  int64_t channels = 0;     // 1 (grey) or 3 (red, green, blue)
  int64_t height = 0;       // pixels
  int64_t width = 0;        // pixels
  int64_t num_classes = 0;  // labels are 0 .. num_classes - 1; 0: there are no labels
  // One a class, or empty where they are not known.
  std::vector<std::string> class_names = {};
  // Where the examples are no images: the shape of one, channels first; channels, height and width
  // are 0.
  std::vector<int64_t> float32_shape = {};

  bool images() const { return float32_shape.empty(); }
  // Of an example; [channels, height, width] of an image.
  std::vector<int64_t> shape() const;
  // Bytes of an example.
  int64_t image_bytes() const;
};

class Dataset {
 public:
  virtual ~Dataset();

  virtual const DatasetInfo& info() const = 0;

  // Writes image `index` as bytes in [channels, height, width] order, or the float32 numbers of
  // that example in C order, and returns its label, -1 where there are none. May be called from
  // several threads at once. Throws ConfigError for an index outside [0, size) or a span that is
  // not image_bytes() long; FormatError or IoError for an image that cannot be read.
  virtual int32_t read(int64_t index, std::span<uint8_t> chw) const = 0;

  // A hash of what the data set is (format, shape, names, sizes and some or all contents), the same
  // on every machine: another value means another data set, so that resuming a run on other data
  // does not go unnoticed.
  virtual std::string fingerprint() const = 0;
};

// The checks that every read() starts with; throws ConfigError.
void require_readable(const DatasetInfo& info, int64_t index, std::span<const uint8_t> chw);

// Throws ConfigError unless image_size is unset or from 1 to io::kMaxImageSide.
void validate(const DatasetOptions& options);

// Throws ConfigError, naming `where`, for the test split: of data that has no splits.
void require_train_split(DatasetOptions::Split split, const std::string& where);

// [pixels, channels] bytes into [channels, pixels].
void to_planes(std::span<const uint8_t> interleaved, int64_t channels, std::span<uint8_t> planes);

}  // namespace halfstep::data

template <>
struct halfstep::EnumNames<halfstep::data::DatasetOptions::Split> {
  using Split = data::DatasetOptions::Split;
  static constexpr auto kNames = std::to_array<std::pair<Split, std::string_view>>(
      {{Split::train, "train"}, {Split::test, "test"}});
};

#endif  // HALFSTEP_DATA_DATASET_H_
