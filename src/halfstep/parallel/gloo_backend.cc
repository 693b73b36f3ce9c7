#include "halfstep/parallel/gloo_backend.h"

#include <cstdlib>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

namespace halfstep::parallel {

bool has_gloo() { return true; }

// Do not use GlooStore here: its base class has fewer virtual functions in Debian's header than in
// LibTorch's Gloo. ProcessGroupGloo makes its own inside LibTorch.
c10::intrusive_ptr<c10d::Backend> make_gloo_backend(const c10::intrusive_ptr<c10d::Store>& store,
                                                    int rank, int size, const std::string& address,
                                                    std::chrono::milliseconds timeout) {
  using Gloo = c10d::ProcessGroupGloo;
  const char* const interface = std::getenv("GLOO_SOCKET_IFNAME");
  const auto options = Gloo::Options::create(timeout);
  options->devices.push_back(interface != nullptr ? Gloo::createDeviceForInterface(interface)
                             : address.empty()    ? Gloo::createDefaultDevice()
                                                  : Gloo::createDeviceForHostname(address));
  return c10::make_intrusive<Gloo>(store, rank, size, options);
}

}  // namespace halfstep::parallel
