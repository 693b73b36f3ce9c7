// The checksum that a JSON object carries in its key "checksum". LibTorch-free.
#ifndef HALFSTEP_CHECKPOINT_CHECKSUM_H_
#define HALFSTEP_CHECKPOINT_CHECKSUM_H_

#include <nlohmann/json.hpp>
#include <string>

namespace halfstep {

// Returns the SHA-256 of the object without its key "checksum", as JSON without spaces.
std::string checksum_of(nlohmann::json object);

}  // namespace halfstep

#endif  // HALFSTEP_CHECKPOINT_CHECKSUM_H_
