// dataset.json, the labels beside a folder or zip of images (StyleGAN, EDM):
//
//   {"labels": [["00000/img00000000.png", 6], ["00000/img00000001.png", 9], ...]}
//
// or {"labels": null}. A label is a class, a whole number from 0, or a one-hot vector, whose class
// is the place of the 1. halfstep writes "class_names" beside it, a list of strings, and reads it
// where it is; other keys are passed over.
#ifndef HALFSTEP_DATA_DATASET_JSON_H_
#define HALFSTEP_DATA_DATASET_JSON_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/data/dataset.h"
#include "halfstep/data/image_listing.h"

namespace halfstep::data {

inline constexpr const char* kDatasetJson = "dataset.json";

// The largest dataset.json that is read, in bytes.
inline constexpr uint64_t kMaxDatasetJson = uint64_t{1} << 30;

// Gives each of `names` its label; labels of other names are passed over. Classes are 0 to the
// greatest label, or as many as the vectors are long or class_names has. Throws FormatError, naming
// `where`, for a name without a label or with two, and for labels of another kind or above a
// million: vectors that are not one-hot say something else than a class.
LabelledNames classes_by_json(std::string_view text, std::vector<std::string> names,
                              const std::string& where);

// The file for images of these names. Throws ConfigError for names that are not UTF-8.
std::string dataset_json(const LabelledNames& images);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_DATASET_JSON_H_
