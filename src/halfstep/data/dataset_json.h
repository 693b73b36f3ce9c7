// dataset.json, the label file of a folder or zip of images (StyleGAN, EDM):
//
//   {"labels": [["00000/img00000000.png", 6], ["00000/img00000001.png", 9], ...]}
//
// or {"labels": null}. A label is the index of a class or a one-hot vector. halfstep also writes
// and reads "class_names", a list of strings. Other keys are ignored.
#ifndef HALFSTEP_DATA_DATASET_JSON_H_
#define HALFSTEP_DATA_DATASET_JSON_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/data/dataset.h"
#include "halfstep/data/image_layout.h"

namespace halfstep::data {

// Returns the largest accepted size of a dataset.json beside this many images, in bytes. It may
// have labels of images that are not there, but a small archive must not unpack to any size.
inline constexpr uint64_t max_dataset_json(size_t images) {
  constexpr uint64_t kOfOthers = uint64_t{1} << 27, kOfOne = uint64_t{1} << 13;
  return kOfOthers + kOfOne * images;
}

// Returns the labels of `names`; labels of other names are ignored, with a warning. The number of
// classes is the greatest label plus 1, the length of the one-hot vectors, or the number of
// class_names. Throws FormatError, naming `where`, for a name without a label or with two labels,
// for a label above one million, and for vectors that are not one-hot.
LabelledNames classes_by_json(std::string_view text, std::vector<std::string> names,
                              const std::string& where);

// Returns the contents of dataset.json for these images. Throws ConfigError for names that are not
// UTF-8.
std::string dataset_json(const LabelledNames& images);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_DATASET_JSON_H_
