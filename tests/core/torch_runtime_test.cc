// How LibTorch is linked into the process (cmake/FindHalfstepTorch.cmake).
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <fstream>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace halfstep {
namespace {

TEST(TorchRuntime, OneOpenMpRuntimeIsLoaded) {
  std::set<std::string> runtimes;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    for (const char* name : {"/libgomp", "/libomp", "/libiomp"}) {
      if (line.find(name) != std::string::npos) runtimes.insert(line.substr(line.find('/')));
    }
  }
  EXPECT_EQ(runtimes.size(), 1) << testing::PrintToString(runtimes);
}

TEST(TorchRuntime, ParallelForOfOurFilesUsesAllThreads) {
  const int before = at::get_num_threads();
  at::set_num_threads(4);
  std::mutex mutex;
  std::set<std::thread::id> threads;
  at::parallel_for(0, 4, /*grain_size=*/1, [&](int64_t, int64_t) {
    const std::lock_guard lock(mutex);
    threads.insert(std::this_thread::get_id());
  });
  at::set_num_threads(before);
  EXPECT_EQ(threads.size(), 4);
}

}  // namespace
}  // namespace halfstep
