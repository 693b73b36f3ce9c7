// What decides which examples are drawn. Processes that share a draw compare it.
#ifndef HALFSTEP_MODEL_SAMPLING_IDENTITY_H_
#define HALFSTEP_MODEL_SAMPLING_IDENTITY_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

#include "halfstep/model/generate.h"
#include "halfstep/model/model.h"

namespace halfstep {

// Returns the hash of the model, its precision and kind of device, and the options as generate()
// resolves them.
nlohmann::json sampling_identity(const Model& model, const GenerateOptions& options);

// Returns this with the number and the hash of the seeds, and of the noise if it is defined.
nlohmann::json sampling_identity(const Model& model, const GenerateOptions& options,
                                 const std::vector<uint64_t>& seeds, const Tensor& noise);

}  // namespace halfstep

#endif  // HALFSTEP_MODEL_SAMPLING_IDENTITY_H_
