// A data set of encoded images (PNG, JPEG, WebP). Each image is fetched and decoded when it is
// read, by the thread that reads it.
//
// Up to 16 images, spread evenly, decide the number of channels: one if all of them are grey, three
// otherwise. In a data set with three channels, grey images are converted to RGB.
#ifndef HALFSTEP_DATA_IMAGE_FILES_H_
#define HALFSTEP_DATA_IMAGE_FILES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "halfstep/data/dataset.h"
#include "halfstep/io/image.h"

namespace halfstep::data {

// The largest image file in an archive, in bytes. It limits what an entry may unpack to; a PNG with
// the largest allowed number of pixels fits.
inline constexpr uint64_t kMaxImageFile = 4 * uint64_t{io::kMaxImagePixels};

// The files of a data set. Implementations must be thread-safe.
class ImageSource {
 public:
  virtual ~ImageSource();

  virtual size_t count() const = 0;
  // Name of a file within the data set, independent of the location of the data set.
  virtual std::string name(size_t i) const = 0;
  // Full path of a file, for messages.
  virtual std::string path(size_t i) const = 0;
  // Size of a file in bytes.
  virtual uint64_t size(size_t i) const = 0;
  // Contents of a file.
  virtual std::vector<std::byte> read(size_t i) const = 0;
};

class ImageFiles : public Dataset {
 public:
  // `info` has the name, the format and the classes; the constructor determines the rest. `labels`
  // has one label per file, or is empty if num_classes is 0. Throws ConfigError if there are no
  // images, or if the examined images differ in size and options.image_size is not set. read()
  // throws ConfigError for images of another size that were not examined.
  ImageFiles(DatasetInfo info, std::unique_ptr<const ImageSource> source,
             std::vector<int32_t> labels, const DatasetOptions& options);

  const DatasetInfo& info() const override { return info_; }
  int32_t read(int64_t index, std::span<uint8_t> chw) const override;

  // Hashes the shape and the names, sizes and labels of the files, but not the pixels. A folder and
  // the zip of that folder have the same fingerprint.
  std::string fingerprint() const override;

 private:
  io::Image decode(size_t i) const;
  void find_shape();
  void require_size(size_t i, const io::Image& image) const;

  DatasetInfo info_;
  std::unique_ptr<const ImageSource> source_;
  std::vector<int32_t> labels_;
  int side_;  // side after resizing, in pixels; 0 keeps the size
};

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_IMAGE_FILES_H_
