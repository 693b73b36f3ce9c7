#include "tests/device/test_device.h"

#include <ATen/Context.h>
#include <gtest/gtest.h>
#include <torch/cuda.h>

#include <cstdio>
#include <cstdlib>

#include "tests/device/fake_device.h"

namespace halfstep::test {
namespace {

constexpr int kAllSkipped = 77;  // SKIP_RETURN_CODE in tests/CMakeLists.txt

// Makes a GPU compute as the CPU does: in float32 and not TF32, and with the same bits twice.
class Gpu final : public testing::Environment {
 public:
  void SetUp() override {
    if (!test_device().is_cuda()) return;
    if (torch::cuda::device_count() == 0) {
      std::printf("skipped: no CUDA device\n");
      std::exit(kAllSkipped);
    }
    at::globalContext().setAllowTF32CuDNN(false);
    at::globalContext().setDeterministicCuDNN(true);
    at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/true);
  }
};
[[maybe_unused]] testing::Environment* const gpu = testing::AddGlobalTestEnvironment(new Gpu);

}  // namespace

c10::Device test_device() {
  const char* const name = std::getenv("HALFSTEP_TEST_DEVICE");
  return name != nullptr ? c10::Device(name) : fake_device();
}

}  // namespace halfstep::test
