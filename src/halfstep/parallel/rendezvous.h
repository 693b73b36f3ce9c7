// How the processes of a run find each other.
#ifndef HALFSTEP_PARALLEL_RENDEZVOUS_H_
#define HALFSTEP_PARALLEL_RENDEZVOUS_H_

#include <chrono>
#include <string>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "halfstep/parallel/launch_environment.h"

namespace halfstep::parallel {

inline constexpr std::chrono::minutes kJoinTimeout{5};

// Returns a key-value store that the processes of this start share. The store of a launcher such as
// torchrun outlives a restart and still has the keys of the earlier processes; those are not
// visible here. Throws IoError if the processes do not all arrive within kJoinTimeout.
c10::intrusive_ptr<c10d::Store> rendezvous(const LaunchEnvironment& launch);

// Returns the address of the network interface through which this host reaches `host`; empty if
// `host` cannot be resolved or reached.
std::string address_towards(const std::string& host, uint16_t port);

}  // namespace halfstep::parallel

#endif  // HALFSTEP_PARALLEL_RENDEZVOUS_H_
