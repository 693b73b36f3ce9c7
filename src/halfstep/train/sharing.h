// What rank 0, which alone reads and writes a run's folder, broadcasts to the other ranks.
#ifndef HALFSTEP_TRAIN_SHARING_H_
#define HALFSTEP_TRAIN_SHARING_H_

#include <memory>
#include <nlohmann/json_fwd.hpp>

#include "halfstep/model/model.h"
#include "halfstep/nn/network.h"
#include "halfstep/parallel/process_group.h"
#include "halfstep/train/optimizer.h"
#include "halfstep/train/options.h"
#include "halfstep/train/saved_state.h"

namespace halfstep {

// Returns the options of rank 0 in every process.
RunOptions broadcast_options(parallel::ProcessGroup& group, const RunOptions& options);

// Throws ConfigError unless every process was given the same options. Each host has its own paths
// and threads.
void require_same_options(parallel::ProcessGroup& group, const RunOptions& options);

// Throws ConfigError unless every process gets at least one example per batch, and all processes
// have the same versions, data set and precision. The number of threads and the instruction set may
// differ between hosts.
void require_same_everywhere(parallel::ProcessGroup& group, const RunOptions& options,
                             const nlohmann::json& fingerprint);

// Overwrites the counters that updates depend on, or an optimizer's state, with those of rank 0.
void broadcast(parallel::ProcessGroup& group, Progress& progress);
void broadcast(parallel::ProcessGroup& group, Optimizer& optimizer);

// Returns rank 0's network of this spec, on the CPU, in every process; the other ranks pass null.
// A TorchScript network is sent with its code; an external one is made by `factory`.
std::unique_ptr<Network> broadcast(parallel::ProcessGroup& group, std::unique_ptr<Network> network,
                                   const ModelSpec& spec, const NetworkFactory& factory);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_SHARING_H_
