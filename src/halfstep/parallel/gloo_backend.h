// c10d's backend over TCP. Only gloo_backend.cc includes Gloo's headers. LibTorch contains Gloo but
// does not install its headers, and Debian's (libgloo-dev) are of another version. The two agree on
// everything that is used here, which cmake/CheckBackends.cmake verifies by running it; libgloo
// itself is never linked. See docs/decisions/018.
#ifndef HALFSTEP_PARALLEL_GLOO_BACKEND_H_
#define HALFSTEP_PARALLEL_GLOO_BACKEND_H_

#include <chrono>
#include <string>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

namespace halfstep::parallel {

// Returns whether this build has Gloo.
bool has_gloo();

// Connects to the other processes through the network interface of `address`, or through the one
// that the environment variable GLOO_SOCKET_IFNAME names. Connecting, and later every collective
// operation, throws if it takes longer than `timeout`.
c10::intrusive_ptr<c10d::Backend> make_gloo_backend(const c10::intrusive_ptr<c10d::Store>& store,
                                                    int rank, int size, const std::string& address,
                                                    std::chrono::milliseconds timeout);

}  // namespace halfstep::parallel

#endif  // HALFSTEP_PARALLEL_GLOO_BACKEND_H_
