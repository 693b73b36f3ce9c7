// Runs the ranks of a process group as threads of the test, which connect over TCP as processes do.
#ifndef HALFSTEP_TESTS_PARALLEL_RUN_RANKS_H_
#define HALFSTEP_TESTS_PARALLEL_RUN_RANKS_H_

#include <functional>

#include "halfstep/parallel/process_group.h"

// Skips a test that needs several processes if this build has no Gloo.
#define REQUIRE_GLOO() \
  if (!::halfstep::parallel::has_gloo()) GTEST_SKIP() << "built without Gloo (libgloo-dev)"

namespace halfstep::parallel {
bool has_gloo();
}

namespace halfstep::test {

// Calls `process` once for each of `size` ranks, each in a thread, and rethrows the exception of
// the lowest rank that threw once all have ended. The group of a rank that throws is destroyed at
// once.
void run_ranks(int size, const std::function<void(parallel::ProcessGroup&)>& process);

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_PARALLEL_RUN_RANKS_H_
