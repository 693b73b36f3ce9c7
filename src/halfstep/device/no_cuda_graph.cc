// Replaces cuda_graph.cc if LibTorch is built without CUDA or CUDA's headers are missing.
#include "halfstep/device/cuda_graph.h"

namespace halfstep {

std::unique_ptr<at::GraphImplInterface> make_cuda_graph() { return nullptr; }

}  // namespace halfstep
