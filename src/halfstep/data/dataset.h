// The interface of data sets: numbered examples of one shape. Examples are images, as bytes, or,
// for non-image data, float32 tensors.
#ifndef HALFSTEP_DATA_DATASET_H_
#define HALFSTEP_DATA_DATASET_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "halfstep/core/enum_names.h"
#include "halfstep/data/passed_over.h"

namespace halfstep::data {

struct DatasetOptions {
  enum class Split { train, test };

  Split split = Split::train;
  // Side in pixels. Each image is cropped to its largest centred square and resized to this side:
  // by area averages when it shrinks, bilinearly when it grows. Required for image files of
  // different sizes; nullopt keeps images as they are.
  std::optional<int64_t> image_size = {};
  // Image files: decode all of them when the data set is opened, and leave out those that are
  // damaged. Otherwise damage that shows at the beginning or the end of a file is an error of
  // opening, and other damage one of reading.
  bool skip_broken = false;
};

// Images that are damaged and were left out.
struct BrokenImages {
  static constexpr size_t kNamed = 10;

  int64_t count = 0;
  std::vector<std::string> named = {};  // the first ones

  // Returns the names with their number, such as "2 broken images: a.png, b.png".
  std::string text() const;
};

struct DatasetInfo {
  std::string name;         // name of the file or folder, such as "fashion-mnist"
  std::string format;       // recognised format, such as "idx" or "image-zip"
  std::string folder = {};  // that the images are in, such as "train"; empty: at the top
  int64_t size = 0;         // number of examples
  int64_t channels = 0;     // 1 (grey) or 3 (RGB)
  int64_t height = 0;       // pixels
  int64_t width = 0;        // pixels
  int64_t num_classes = 0;  // labels are 0 to num_classes - 1; 0 if there are no labels
  // One name per class, or empty if unknown.
  std::vector<std::string> class_names = {};
  // For non-image data, the shape of an example, channels first; channels, height and width are
  // then 0. Empty for images.
  std::vector<int64_t> float32_shape = {};
  // What lies in the folder or archive and is not part of the data set.
  PassedOver passed_over = {};
  BrokenImages broken = {};
  // What is probably not as the user means it, such as a class named "train". One line each.
  std::vector<std::string> warnings = {};

  bool holds_images() const { return float32_shape.empty(); }
  // Returns the shape of an example; [channels, height, width] for images.
  std::vector<int64_t> shape() const;
  // Returns the size of an example in bytes.
  int64_t example_bytes() const;
  // Returns one line such as "photos: 60000 images of 3 x 32 x 32 in 10 classes".
  std::string summary() const;
  // Returns what a user should be told before the data set is used, one line each: "passed over:
  // ..." and "warning: ...".
  std::vector<std::string> notes() const;
};

// A data set open for reading. Const calls are thread-safe.
class Dataset {
 public:
  virtual ~Dataset();

  virtual const DatasetInfo& info() const = 0;

  // Writes example `index` to `chw` and returns its label, or -1 if there are no labels. Images are
  // bytes in [channels, height, width] order; other examples are float32 numbers in C order. Throws
  // ConfigError for an index outside [0, size) or a span that is not example_bytes() long, and
  // FormatError or IoError if the example cannot be read.
  virtual int32_t read(int64_t index, std::span<uint8_t> chw) const = 0;

  // Returns what messages call example `index`, such as the path of its file within the data set.
  virtual std::string name_of(int64_t index) const;

  // Returns a hash of the format, shape, names, sizes and some or all of the contents. It is the
  // same on every machine. A run that is resumed with other data is detected by it.
  virtual std::string fingerprint() const = 0;
};

// Checks the arguments of Dataset::read(). Throws ConfigError.
void require_readable(const DatasetInfo& info, int64_t index, std::span<const uint8_t> chw);

// Throws ConfigError unless image_size is nullopt or from 1 to io::kMaxImageSide.
void validate(const DatasetOptions& options);

// Throws ConfigError, naming `where`, if `split` is the test split. For formats without splits.
void require_train_split(DatasetOptions::Split split, const std::string& where);

// Transposes bytes from [pixels, channels] to [channels, pixels].
void to_planes(std::span<const uint8_t> interleaved, int64_t channels, std::span<uint8_t> planes);

}  // namespace halfstep::data

template <>
struct halfstep::EnumNames<halfstep::data::DatasetOptions::Split> {
  using Split = data::DatasetOptions::Split;
  static constexpr auto kNames = std::to_array<std::pair<Split, std::string_view>>(
      {{Split::train, "train"}, {Split::test, "test"}});
};

#endif  // HALFSTEP_DATA_DATASET_H_
