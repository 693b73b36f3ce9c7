// Tests whether Gloo in LibTorch works with the installed headers: two threads connect as two
// processes would and sum numbers. Run by cmake/CheckBackends.cmake.
#include <ATen/Functions.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <thread>
#include <torch/csrc/distributed/c10d/HashStore.hpp>
#include <vector>

#include "halfstep/parallel/gloo_backend.h"

int main() {
  constexpr int kProcesses = 2;
  ::alarm(60);
  const auto store = c10::make_intrusive<c10d::HashStore>();
  std::array<bool, kProcesses> right{};
  const auto process = [&](int rank) {
    try {
      const auto backend = halfstep::parallel::make_gloo_backend(
          store, rank, kProcesses, "127.0.0.1", std::chrono::seconds(30));
      std::vector<at::Tensor> values = {at::full({100}, rank + 1.0F)};
      backend->setTimeout(std::chrono::seconds(20));
      backend->allreduce(values)->wait();
      right[static_cast<size_t>(rank)] = values.front().eq(3.0F).all().item<bool>();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
    }
  };
  std::thread other(process, 1);
  process(0);
  other.join();
  // not by way of a sanitizer's report on LibTorch
  std::_Exit(right[0] && right[1] ? 0 : 1);
}
