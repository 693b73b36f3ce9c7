// Labels: from NumPy arrays, and how many images each class has.
#ifndef HALFSTEP_DATA_LABELS_H_
#define HALFSTEP_DATA_LABELS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "halfstep/data/dataset.h"
#include "halfstep/io/array.h"

namespace halfstep::data {

// Converts an integer array [size] whose first class has the number `first` to labels from 0.
// Throws FormatError, naming `where`, for another type or shape, and for labels below `first` or
// above one million.
std::vector<int32_t> labels_of_array(const io::Array& array, int64_t size, int64_t first,
                                     const std::string& where);

// Returns the greatest label plus 1, and 1 for no labels.
int64_t num_classes_of(const std::vector<int32_t>& labels);

// Adds a warning to `info` that names the classes without images, if there are labels.
void add_class_warnings(const std::vector<int32_t>& labels, DatasetInfo& info);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_LABELS_H_
