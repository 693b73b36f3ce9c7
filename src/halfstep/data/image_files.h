// A data set of encoded images (PNG, JPEG, WebP), each fetched and decoded when it is read, by the
// thread that reads it.
//
// Images are grey if all that were looked at are (up to 16, spread evenly); among coloured ones,
// grey ones become coloured.
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

// The largest image file that is read from an archive: no PNG of the pixels allowed is larger. It
// bounds what an entry of an archive may unpack to.
inline constexpr uint64_t kMaxImageFile = 4 * uint64_t{io::kMaxImagePixels};

// Where the files are. All may be called from several threads at once.
class ImageSource {
 public:
  virtual ~ImageSource();

  virtual size_t count() const = 0;
  // What the file is called in the data set; the same wherever the data set lies.
  virtual std::string name(size_t i) const = 0;
  // The same with where it lies, for messages.
  virtual std::string path(size_t i) const = 0;
  virtual uint64_t size(size_t i) const = 0;  // bytes
  virtual std::vector<std::byte> read(size_t i) const = 0;
};

class ImageFiles : public Dataset {
 public:
  // `info` has name, format and classes; the rest is found here. `labels` is [count], or empty
  // where num_classes is 0. Throws ConfigError for mixed sizes without options.image_size: here if
  // they are seen, else from read().
  ImageFiles(DatasetInfo info, std::unique_ptr<const ImageSource> source,
             std::vector<int32_t> labels, const DatasetOptions& options);

  const DatasetInfo& info() const override { return info_; }
  int32_t read(int64_t index, std::span<uint8_t> chw) const override;

  // Of the shape, names, sizes and labels, not of the pixels: a folder and the zip made of it have
  // the same.
  std::string fingerprint() const override;

 private:
  io::Image decode(size_t i) const;
  void find_shape();
  void require_size(size_t i, const io::Image& image) const;

  DatasetInfo info_;
  std::unique_ptr<const ImageSource> source_;
  std::vector<int32_t> labels_;
  int side_;  // 0: the images stay as they are
};

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_IMAGE_FILES_H_
