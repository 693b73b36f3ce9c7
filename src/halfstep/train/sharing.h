// What the processes of a run have from its root: rank 0, which alone reads and writes the folder.
#ifndef HALFSTEP_TRAIN_SHARING_H_
#define HALFSTEP_TRAIN_SHARING_H_

#include <memory>
#include <nlohmann/json.hpp>

#include "halfstep/model/model.h"
#include "halfstep/nn/network.h"
#include "halfstep/parallel/process_group.h"
#include "halfstep/train/optimizer.h"
#include "halfstep/train/options.h"
#include "halfstep/train/saved_state.h"

namespace halfstep {

// The root's options, for all.
RunOptions shared_options(parallel::ProcessGroup& group, const RunOptions& options);

// Throws ConfigError unless every process has an image of each batch to work on, and what results
// depend on is everywhere the same: versions, data set, precision. Threads and instruction sets may
// differ from host to host.
void require_same_everywhere(parallel::ProcessGroup& group, const RunOptions& options,
                             const nlohmann::json& fingerprint);

// Each overwrites what the others have with what the root has: the counts that updates depend on,
// an optimizer's state.
void share(parallel::ProcessGroup& group, Progress& progress);
void share(parallel::ProcessGroup& group, Optimizer& optimizer);

// The root's network of this spec, on the CPU, for all; null is what the others come with.
// TorchScript comes with its code.
std::unique_ptr<Network> share(parallel::ProcessGroup& group, std::unique_ptr<Network> network,
                               const ModelSpec& spec);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_SHARING_H_
