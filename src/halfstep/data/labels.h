// Labels in a NumPy array.
#ifndef HALFSTEP_DATA_LABELS_H_
#define HALFSTEP_DATA_LABELS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "halfstep/io/array.h"

namespace halfstep::data {

// Integers [size] of any width whose least class is called `first`, as classes from 0. Throws
// FormatError, naming `where`, for another type or shape, and for labels below `first` or above a
// million.
std::vector<int32_t> labels_of_array(const io::Array& array, int64_t size, int64_t first,
                                     const std::string& where);

// One more than the greatest; at least 1.
int64_t num_classes_of(const std::vector<int32_t>& labels);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_LABELS_H_
