// What bit-exactness of a resumed run depends on.
#ifndef HALFSTEP_TRAIN_FINGERPRINT_H_
#define HALFSTEP_TRAIN_FINGERPRINT_H_

#include <ATen/core/TensorBody.h>

#include <nlohmann/json.hpp>
#include <string>

#include "halfstep/data/dataset.h"

namespace halfstep {

// Threads, kernels, versions, data: an object of key and value.
nlohmann::json fingerprint(const data::Dataset& dataset, const at::Device& device);

// Of the keys of `now`, those that `saved` has not or has otherwise, for a message: "threads was 2,
// is 4", with "; " between them. Empty where there is none.
std::string differences(const nlohmann::json& saved, const nlohmann::json& now);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_FINGERPRINT_H_
