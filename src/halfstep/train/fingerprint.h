// What the bit-exactness of a resumed run depends on.
#ifndef HALFSTEP_TRAIN_FINGERPRINT_H_
#define HALFSTEP_TRAIN_FINGERPRINT_H_

#include <ATen/core/TensorBody.h>

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "halfstep/data/dataset.h"

namespace halfstep {

// Returns an object with the number of threads, the kernels, the versions and the data set.
nlohmann::json fingerprint(const data::Dataset& dataset, const at::Device& device);

// Lists the keys of `now` that are missing from or different in `saved`, for a message:
// "threads was 2, is 4; ...". Returns an empty string if there are none.
std::string differences(const nlohmann::json& saved, const nlohmann::json& now);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_FINGERPRINT_H_
