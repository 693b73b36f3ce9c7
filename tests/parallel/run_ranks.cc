#include "tests/parallel/run_ranks.h"

#include <exception>
#include <memory>
#include <thread>
#include <vector>

#include "halfstep/parallel/c10d_group.h"
#include "tests/parallel/free_port.h"

namespace halfstep::test {

void run_ranks(int size, const std::function<void(parallel::ProcessGroup&)>& process) {
  const uint16_t port = free_port();
  std::vector<std::exception_ptr> errors(static_cast<size_t>(size));
  std::vector<std::thread> processes;
  for (int rank = 0; rank < size; ++rank) {
    processes.emplace_back([&, rank] {
      try {
        const std::unique_ptr<parallel::ProcessGroup> group = parallel::join(
            {.rank = rank, .size = size, .master_host = "127.0.0.1", .master_port = port},
            at::kCPU);
        process(*group);
        group->leave();
      } catch (...) {
        errors[static_cast<size_t>(rank)] = std::current_exception();
      }
    });
  }
  for (std::thread& thread : processes) thread.join();
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace halfstep::test
