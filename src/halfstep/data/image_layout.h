// Finds the images of a split in a folder or archive, and their classes, by the rules of
// image_folder.h.
#ifndef HALFSTEP_DATA_IMAGE_LAYOUT_H_
#define HALFSTEP_DATA_IMAGE_LAYOUT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "halfstep/data/dataset.h"
#include "halfstep/data/image_listing.h"

namespace halfstep::data {

// A folder or archive. Paths are relative to it, with '/' as separator; "" is the folder itself.
class ImageTree {
 public:
  virtual ~ImageTree();

  // Returns what `folder` contains; paths are relative to `folder`.
  virtual ImageListing list(const std::string& folder) const = 0;
  // Returns the contents of the dataset.json in `folder`. Throws FormatError if it has more than
  // `max_size` bytes.
  virtual std::vector<std::byte> read_dataset_json(const std::string& folder,
                                                   uint64_t max_size) const = 0;
};

// The images of a data set and their classes.
struct LabelledNames {
  std::vector<std::string> names;
  std::vector<int32_t> labels;  // one per name, or empty
  int64_t num_classes = 0;
  std::vector<std::string> class_names;  // one per class, or empty; UTF-8
  std::string folder;                    // that `names` are relative to
  PassedOver passed_over = {};
  std::vector<std::string> warnings = {};
};

// Returns the images of a split. Throws ConfigError, naming `where`, if there are no images, images
// next to folders of images, no such split, or two folders of it. Throws FormatError for an invalid
// dataset.json.
LabelledNames labelled_images(const ImageTree& tree, DatasetOptions::Split split,
                              const std::string& where);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_IMAGE_LAYOUT_H_
