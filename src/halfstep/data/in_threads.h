// Work on many files or examples in several threads.
#ifndef HALFSTEP_DATA_IN_THREADS_H_
#define HALFSTEP_DATA_IN_THREADS_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace halfstep::data {

// Calls `work` with 0 to count - 1, in as many threads as there are cores, at most 16. If it
// throws, the rest is dropped and one of the exceptions is rethrown.
template <class Work>
void for_each_in_threads(std::size_t count, const Work& work) {
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::exception_ptr failure;
  const auto loop = [&] {
    try {
      for (std::size_t k = next++; k < count; k = next++) work(k);
    } catch (...) {
      next = count;
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
    }
  };
  constexpr std::size_t kMostThreads = 16;
  const std::size_t threads = std::min(
      {count, kMostThreads, static_cast<std::size_t>(std::thread::hardware_concurrency())});
  std::vector<std::thread> others;
  for (std::size_t k = 1; k < threads; ++k) others.emplace_back(loop);
  loop();
  for (std::thread& thread : others) thread.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_IN_THREADS_H_
