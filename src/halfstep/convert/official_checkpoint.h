// Checkpoints of the official JAX code.
#ifndef HALFSTEP_CONVERT_OFFICIAL_CHECKPOINT_H_
#define HALFSTEP_CONVERT_OFFICIAL_CHECKPOINT_H_

#include <filesystem>

#include "halfstep/model/model.h"

namespace halfstep {

// Returns whether the file begins as such a checkpoint does. Other files may do so too.
bool may_be_official_checkpoint(const std::filesystem::path& path);

// Reads the EMA weights of a checkpoint and the number of steps that it was distilled for. The file
// does not state its network, output and schedule; they are taken from `spec`. Throws
//   IoError      if the file cannot be read;
//   FormatError  if it is damaged, or if an array is missing, unknown to the network or of the
//                wrong size; the message names the first one;
//   ConfigError  if `spec` contradicts itself.
Model import_official_checkpoint(const std::filesystem::path& path, ModelSpec spec);

}  // namespace halfstep

#endif  // HALFSTEP_CONVERT_OFFICIAL_CHECKPOINT_H_
