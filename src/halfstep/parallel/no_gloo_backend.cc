// Replaces gloo_backend.cc if cmake/CheckBackends.cmake finds that it would not work.
#include "halfstep/core/error.h"
#include "halfstep/parallel/gloo_backend.h"

namespace halfstep::parallel {

bool has_gloo() { return false; }

c10::intrusive_ptr<c10d::Backend> make_gloo_backend(const c10::intrusive_ptr<c10d::Store>&, int,
                                                    int, const std::string&,
                                                    std::chrono::milliseconds) {
  throw Error("processes", "expected a build with Gloo, received one without");
}

}  // namespace halfstep::parallel
