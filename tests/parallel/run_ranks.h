// Processes of a group as threads of the test: they meet and talk over TCP as real ones do.
#ifndef HALFSTEP_TESTS_PARALLEL_RUN_RANKS_H_
#define HALFSTEP_TESTS_PARALLEL_RUN_RANKS_H_

#include <functional>

#include "halfstep/parallel/process_group.h"

// Skips a test that needs several processes where this build has no Gloo.
#define REQUIRE_GLOO() \
  if (!::halfstep::parallel::has_gloo()) GTEST_SKIP() << "built without Gloo (libgloo-dev)"

namespace halfstep::parallel {
bool has_gloo();
}

namespace halfstep::test {

// Runs `process` as each of `size` processes. Throws what the first of them threw, once all have
// ended; the group of one that throws is gone at once, those of the others when they end.
void run_ranks(int size, const std::function<void(parallel::ProcessGroup&)>& process);

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_PARALLEL_RUN_RANKS_H_
