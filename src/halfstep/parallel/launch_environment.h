// Rank, size and rendezvous address of a process, from the environment variables of its launcher.
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
  int local_rank = 0;       // rank on this host: the index of its GPU
  std::string master_host;  // host of the rendezvous; empty for a single process
  uint16_t master_port = 0;
  bool launcher_has_store = false;  // whether the launcher listens there; otherwise rank 0 does
  int restarts = 0;                 // how often the launcher has restarted the processes
};

// Returns the value of an environment variable; nullopt if it is unset or empty.
using GetVariable = std::function<std::optional<std::string>(const char* name)>;
std::optional<std::string> read_variable(const char* name);

// Reads the first of these that is set:
//   WORLD_SIZE     by torchrun or another launcher: with RANK, MASTER_ADDR, MASTER_PORT and
//                  optionally LOCAL_RANK
//   SLURM_NTASKS   by Slurm: with SLURM_PROCID and SLURM_LOCALID, and with MASTER_ADDR and
//                  MASTER_PORT, which Slurm does not set. Without these two, as in a batch script,
//                  the process is a single one
// Without either variable the process is a single one. Throws ConfigError naming the variable if
// one is missing or invalid.
LaunchEnvironment launch_environment(const GetVariable& get = read_variable);

}  // namespace halfstep::parallel

#endif  // HALFSTEP_PARALLEL_LAUNCH_ENVIRONMENT_H_
