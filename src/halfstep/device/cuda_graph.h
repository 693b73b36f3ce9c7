// CUDA graphs behind LibTorch's interface for graphs of any device.
#ifndef HALFSTEP_DEVICE_CUDA_GRAPH_H_
#define HALFSTEP_DEVICE_CUDA_GRAPH_H_

#include <ATen/core/GraphImplInterface.h>

#include <memory>

namespace halfstep {

// Returns an empty CUDA graph; null if this build has none. LibTorch has the interface, but up to
// 2.14.1 does not implement it for CUDA.
std::unique_ptr<at::GraphImplInterface> make_cuda_graph();

}  // namespace halfstep

#endif  // HALFSTEP_DEVICE_CUDA_GRAPH_H_
