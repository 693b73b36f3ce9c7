// Which of the files in a folder or archive are a data set's images, in which order and of which
// class: the rule of image_folder.h, on names alone.
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

// Whether a file of this name is looked at: .png, .jpg, .jpeg or .webp in any case, no part of the
// path beginning with a dot.
bool is_image_name(std::string_view name);

// Names of images below one folder, "/" between their parts.
struct ImageListing {
  std::vector<std::string> loose;                           // in the folder itself
  std::map<std::string, std::vector<std::string>> folders;  // top folder -> what lies in it, if any

  bool empty() const { return loose.empty() && folders.empty(); }
  void add(std::string name);
  std::vector<std::string> sorted() const;  // all of them, by name
};

struct LabelledNames {
  std::vector<std::string> names;
  std::vector<int32_t> labels;  // [names], or empty
  int64_t num_classes = 0;
  std::vector<std::string> class_names;  // [num_classes], or empty
};

// The folder of the split: "" for all of it, "train", "test" or "val". Throws ConfigError, naming
// `where`, for a test split that is not there.
std::string folder_of_split(const ImageListing& listing, DatasetOptions::Split split,
                            const std::string& where);

// Class = top folder. In the order of classes, then names. Throws ConfigError for no images and for
// images beside folders of images.
LabelledNames classes_by_folder(const ImageListing& listing, const std::string& where);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_IMAGE_LISTING_H_
