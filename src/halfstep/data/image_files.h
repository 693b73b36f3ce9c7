// A data set of encoded images (PNG, JPEG, WebP). Each image is fetched and decoded when it is
// read, by the thread that reads it.
//
// All images are looked at when the data set is opened (image_survey.h). There is one channel if
// all of them are grey, and three otherwise: grey images are then converted to RGB.
#ifndef HALFSTEP_DATA_IMAGE_FILES_H_
#define HALFSTEP_DATA_IMAGE_FILES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
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
  // The first and the last `count` bytes of a file, one after the other; all of it, once, if it has
  // at most twice as many.
  virtual std::vector<std::byte> read_ends(size_t i, size_t count) const;
  // A checksum of the contents that the source knows without reading them.
  virtual std::optional<uint32_t> checksum(size_t i) const;
  // Whether an entry that is no image is passed over; otherwise it is a broken image.
  virtual bool holds_other_entries() const;
};

class ImageFiles : public Dataset {
 public:
  // `info` has the name, the format and the classes; the constructor determines the rest. `labels`
  // has one label per file, or is empty if num_classes is 0. Throws FormatError, which names them,
  // if images are damaged and options.skip_broken is not set, and ConfigError if there are no
  // images or if they differ in size and options.image_size is not set.
  ImageFiles(DatasetInfo info, std::unique_ptr<const ImageSource> source,
             std::vector<int32_t> labels, const DatasetOptions& options);

  const DatasetInfo& info() const override { return info_; }
  int32_t read(int64_t index, std::span<uint8_t> chw) const override;
  std::string name_of(int64_t index) const override;

  // Hashes the shape and the names, sizes, labels and contents of the files, as survey() does.
  std::string fingerprint() const override;

 private:
  io::Image decode(size_t i) const;
  void require_size(size_t i, const io::Image& image) const;

  DatasetInfo info_;
  std::unique_ptr<const ImageSource> source_;
  std::vector<size_t> files_;    // numbers of the images in the source
  std::vector<int32_t> labels_;  // by number in the source
  int side_;                     // side after resizing, in pixels; 0 keeps the size
  bool skip_broken_;
  std::string contents_;  // a hash
};

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_IMAGE_FILES_H_
