// A process group on c10d, the library below torch.distributed: rendezvous at a TCPStore,
// communication over Gloo and, for CUDA tensors, NCCL. Without NCCL, tensors of a device go through
// the host.
#ifndef HALFSTEP_PARALLEL_C10D_GROUP_H_
#define HALFSTEP_PARALLEL_C10D_GROUP_H_

#include <c10/core/Device.h>

#include <memory>

#include "halfstep/parallel/launch_environment.h"
#include "halfstep/parallel/process_group.h"

namespace halfstep::parallel {

// Connects to the other processes and returns their group, or a SingleProcess if there are none.
// Throws IoError if they do not all arrive within kJoinTimeout, and ConfigError for several
// processes if this build has no Gloo.
std::unique_ptr<ProcessGroup> join(const LaunchEnvironment& launch, const c10::Device& device);

}  // namespace halfstep::parallel

#endif  // HALFSTEP_PARALLEL_C10D_GROUP_H_
