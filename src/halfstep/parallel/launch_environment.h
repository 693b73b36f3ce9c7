// Which of the processes of a run this one is, as its launcher says in environment variables.
#ifndef HALFSTEP_PARALLEL_LAUNCH_ENVIRONMENT_H_
#define HALFSTEP_PARALLEL_LAUNCH_ENVIRONMENT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace halfstep::parallel {

struct LaunchEnvironment {
  int rank = 0;
  int size = 1;
  int local_rank = 0;       // on its host: which of the GPUs is its
  std::string master_host;  // where the processes find each other; empty for one process
  uint16_t master_port = 0;
  bool launcher_has_store = false;  // the launcher listens there; otherwise rank 0 does
  int restarts = 0;                 // how often the launcher has started the processes again
};

// The value of an environment variable, if it is set to something.
using Environment = std::function<std::optional<std::string>(const char* name)>;
std::optional<std::string> process_environment(const char* name);

// From the first of these that is there:
//   WORLD_SIZE     torchrun, or whoever sets RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT and
//                  perhaps LOCAL_RANK
//   SLURM_NTASKS   with MASTER_ADDR and MASTER_PORT, which Slurm does not set: SLURM_PROCID,
//                  SLURM_LOCALID. Without them a process is on its own, as in a batch script
// or one process. Throws ConfigError that names the variable.
LaunchEnvironment launch_environment(const Environment& environment = process_environment);

}  // namespace halfstep::parallel

#endif  // HALFSTEP_PARALLEL_LAUNCH_ENVIRONMENT_H_
