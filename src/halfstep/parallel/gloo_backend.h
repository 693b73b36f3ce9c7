// c10d's group over TCP. It alone includes Gloo's headers: LibTorch has Gloo inside but not its
// headers, and Debian's (libgloo-dev) are of another version. They agree on all that is used here,
// which cmake/CheckBackends.cmake makes sure of by running it; libgloo itself is never linked.
// docs/decisions/018.
#ifndef HALFSTEP_PARALLEL_GLOO_BACKEND_H_
#define HALFSTEP_PARALLEL_GLOO_BACKEND_H_

#include <chrono>
#include <string>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

namespace halfstep::parallel {

// Whether this build has it.
bool has_gloo();

// Connects to the others, through the network interface of `address` or the one that
// GLOO_SOCKET_IFNAME names. What fails to end within `timeout` throws.
c10::intrusive_ptr<c10d::Backend> make_gloo_backend(const c10::intrusive_ptr<c10d::Store>& store,
                                                    int rank, int size, const std::string& address,
                                                    std::chrono::milliseconds timeout);

}  // namespace halfstep::parallel

#endif  // HALFSTEP_PARALLEL_GLOO_BACKEND_H_
