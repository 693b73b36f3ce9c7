// Processes of a group as threads of the test: they meet and talk over TCP as real ones do.
#ifndef HALFSTEP_TESTS_PARALLEL_TOGETHER_H_
#define HALFSTEP_TESTS_PARALLEL_TOGETHER_H_

#include <functional>

#include "halfstep/parallel/process_group.h"

// Skips a test that needs several processes where this build has no Gloo.
#define REQUIRE_GLOO() \
  if (!::halfstep::has_gloo()) GTEST_SKIP() << "built without Gloo (libgloo-dev)"

namespace halfstep {
bool has_gloo();
}

namespace halfstep::test {

// Runs `process` as each of `size` processes. Throws what the first of them threw, once all have
// ended; the group of one that throws is gone at once, those of the others when they end.
void together(int size, const std::function<void(ProcessGroup&)>& process);

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_PARALLEL_TOGETHER_H_
