// Selects, sorts and labels the images of a folder or archive by their names, with the rules of
// image_folder.h.
#ifndef HALFSTEP_DATA_IMAGE_LISTING_H_
#define HALFSTEP_DATA_IMAGE_LISTING_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/data/dataset.h"

namespace halfstep::data {

// Returns whether a path names an image: its extension is .png, .jpg, .jpeg or .webp in any case,
// and no part of it begins with a dot.
bool is_image_name(std::string_view name);

// The images below a folder, as paths relative to it with '/' as separator.
struct ImageListing {
  std::vector<std::string> loose;                           // images in the folder itself
  std::map<std::string, std::vector<std::string>> folders;  // images by top-level folder

  bool empty() const { return loose.empty() && folders.empty(); }
  void add(std::string name);
  // Returns all images, sorted by name.
  std::vector<std::string> sorted() const;
};

// The images of a data set and their classes.
struct LabelledNames {
  std::vector<std::string> names;
  std::vector<int32_t> labels;  // one per name, or empty
  int64_t num_classes = 0;
  std::vector<std::string> class_names;  // one per class, or empty
};

// Returns the folder of a split: "train", "test" or "val", or "" if there are no splits. Throws
// ConfigError, naming `where`, if there is no test split and it is asked for.
std::string folder_of_split(const ImageListing& listing, DatasetOptions::Split split,
                            const std::string& where);

// Labels images by their top-level folder and sorts them by class and then by name. Throws
// ConfigError, naming `where`, if there are no images, or images next to folders of images.
LabelledNames classes_by_folder(const ImageListing& listing, const std::string& where);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_IMAGE_LISTING_H_
