// The processes of a run as c10d's group: they meet at a TCPStore, talk over Gloo and, on GPUs,
// NCCL.
#ifndef HALFSTEP_PARALLEL_C10D_GROUP_H_
#define HALFSTEP_PARALLEL_C10D_GROUP_H_

#include <c10/core/Device.h>

#include <memory>

#include "halfstep/parallel/launch_environment.h"
#include "halfstep/parallel/process_group.h"

namespace halfstep::parallel {

// Waits, at most 5 minutes, until all processes have come; a single one has nobody to wait for.
// Throws IoError where they do not meet, and ConfigError for several processes where this build
// has no Gloo.
std::unique_ptr<ProcessGroup> join(const LaunchEnvironment& place, const c10::Device& device);

}  // namespace halfstep::parallel

#endif  // HALFSTEP_PARALLEL_C10D_GROUP_H_
