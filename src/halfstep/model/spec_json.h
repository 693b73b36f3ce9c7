// ModelSpec as JSON, as it is in model files and in a run's options.json. See docs/formats.md.
#ifndef HALFSTEP_MODEL_SPEC_JSON_H_
#define HALFSTEP_MODEL_SPEC_JSON_H_

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "halfstep/model/model.h"

namespace halfstep {

nlohmann::json to_json(const ModelSpec& spec);

// Removes the keys of Sampling that have their default values, except num_steps. A file of a model
// that is sampled with DDIM has no others.
void leave_out_default_sampling(nlohmann::json& spec);

// Throws FormatError that names `where` and the key.
ModelSpec spec_from_json(const nlohmann::json& value, std::string_view where);

nlohmann::json to_json(const NetworkOptions& network);
// The key `type` says which kind of network it is. Throws as spec_from_json does.
NetworkOptions network_from_json(const nlohmann::json& value, std::string_view where);

nlohmann::json to_json(const ScheduleOptions& schedule);
ScheduleOptions schedule_from_json(const nlohmann::json& value, std::string_view where);

}  // namespace halfstep

#endif  // HALFSTEP_MODEL_SPEC_JSON_H_
