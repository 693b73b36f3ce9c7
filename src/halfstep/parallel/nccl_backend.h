// c10d's group of NVIDIA GPUs, where LibTorch has CUDA and NCCL's header is there.
#ifndef HALFSTEP_PARALLEL_NCCL_BACKEND_H_
#define HALFSTEP_PARALLEL_NCCL_BACKEND_H_

#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

namespace halfstep::parallel {

// Null where this build has none.
c10::intrusive_ptr<c10d::Backend> make_nccl_backend(const c10::intrusive_ptr<c10d::Store>& store,
                                                    int rank, int size);

}  // namespace halfstep::parallel

#endif  // HALFSTEP_PARALLEL_NCCL_BACKEND_H_
