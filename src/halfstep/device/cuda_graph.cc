#include "halfstep/device/cuda_graph.h"

#include <ATen/cuda/CUDAGraph.h>

namespace halfstep {
namespace {

cudaStreamCaptureMode mode_of(at::GraphCaptureMode mode) {
  switch (mode) {
    case at::GraphCaptureMode::ThreadLocal:
      return cudaStreamCaptureModeThreadLocal;
    case at::GraphCaptureMode::Relaxed:
      return cudaStreamCaptureModeRelaxed;
    case at::GraphCaptureMode::Default:
    case at::GraphCaptureMode::Global:
      break;
  }
  return cudaStreamCaptureModeGlobal;
}

class CudaGraph final : public at::GraphImplInterface {
 public:
  void capture_begin(at::MempoolId_t pool, at::GraphCaptureMode mode) override {
    graph_.capture_begin(pool, mode_of(mode));
  }
  void capture_end() override { graph_.capture_end(); }
  void instantiate() override { graph_.instantiate(); }
  void replay() override { graph_.replay(); }
  void reset() override { graph_.reset(); }
  at::MempoolId_t pool() const override { return graph_.pool(); }
  void enable_debug_mode() override { graph_.enable_debug_mode(); }
  void debug_dump(const std::string& /*path*/) override {}  // not in every version of LibTorch

 private:
  mutable at::cuda::CUDAGraph graph_;  // its pool() is not const
};

}  // namespace

std::unique_ptr<at::GraphImplInterface> make_cuda_graph() { return std::make_unique<CudaGraph>(); }

}  // namespace halfstep
