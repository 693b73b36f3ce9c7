// c10d's backend for NVIDIA GPUs. It needs a LibTorch with CUDA, and NCCL's header.
#ifndef HALFSTEP_PARALLEL_NCCL_BACKEND_H_
#define HALFSTEP_PARALLEL_NCCL_BACKEND_H_

#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

namespace halfstep::parallel {

// Returns null if this build has no NCCL.
c10::intrusive_ptr<c10d::Backend> make_nccl_backend(const c10::intrusive_ptr<c10d::Store>& store,
                                                    int rank, int size);

}  // namespace halfstep::parallel

#endif  // HALFSTEP_PARALLEL_NCCL_BACKEND_H_
