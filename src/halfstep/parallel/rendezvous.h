// Where the processes of a run find each other.
#ifndef HALFSTEP_PARALLEL_RENDEZVOUS_H_
#define HALFSTEP_PARALLEL_RENDEZVOUS_H_

#include <chrono>
#include <string>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "halfstep/parallel/launch_environment.h"

namespace halfstep::parallel {

inline constexpr std::chrono::minutes kJoinTimeout{5};

// A store that the processes of one start share, and none of an earlier one: a launcher's store
// outlives a restart, with all that the processes before have left in it. Throws IoError where
// they do not meet within kJoinTimeout.
c10::intrusive_ptr<c10d::Store> meet(const LaunchEnvironment& place);

// The address of this host on the way to another; empty where that has none.
std::string address_towards(const std::string& host, uint16_t port);

}  // namespace halfstep::parallel

#endif  // HALFSTEP_PARALLEL_RENDEZVOUS_H_
