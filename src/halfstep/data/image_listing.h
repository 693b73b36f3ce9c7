// The names of the files in a folder or archive of images, sorted into images and what is passed
// over.
#ifndef HALFSTEP_DATA_IMAGE_LISTING_H_
#define HALFSTEP_DATA_IMAGE_LISTING_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/data/passed_over.h"

namespace halfstep::data {

inline constexpr const char* kDatasetJson = "dataset.json";

// Returns whether a path names an image: its extension, in any case, is that of a format that
// io/image.h reads.
bool is_image_name(std::string_view name);

// Returns whether a path belongs to nobody's data: a part of it begins with a dot or is __MACOSX,
// or the file is Thumbs.db or desktop.ini. Such files are neither read nor counted.
bool is_clutter(std::string_view name);

// The files below a folder. Paths are relative to it, with '/' as separator.
struct ImageListing {
  std::vector<std::string> loose;                           // images in the folder itself
  std::map<std::string, std::vector<std::string>> folders;  // images by top-level folder
  bool has_dataset_json = false;                            // in the folder itself
  // By top-level folder; "" for the folder itself.
  std::map<std::string, PassedOver> passed_over;

  bool empty() const { return loose.empty() && folders.empty(); }
  // Adds a file: an image, dataset.json, clutter or a file to pass over.
  void add(std::string name);
  // Returns the counts of what is passed over at `name`.
  PassedOver& passed_over_at(std::string_view name);
  // Returns the counts of all that is passed over, except in the folder `without`.
  PassedOver all_passed_over(std::string_view without = {}) const;
  // Returns all images, sorted by name.
  std::vector<std::string> sorted() const;
};

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_IMAGE_LISTING_H_
