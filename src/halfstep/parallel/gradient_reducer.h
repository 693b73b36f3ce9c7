// Sums the gradient over processes, overlapping with the backward pass that computes it.
#ifndef HALFSTEP_PARALLEL_GRADIENT_REDUCER_H_
#define HALFSTEP_PARALLEL_GRADIENT_REDUCER_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "halfstep/core/tensor.h"
#include "halfstep/nn/network.h"
#include "halfstep/parallel/process_group.h"

namespace halfstep::parallel {

inline constexpr int64_t kBucketSize = int64_t{1} << 20;  // gradient elements: 4 MiB

// The gradient is one vector; the `.grad` of the network's parameters are views of it, in order
// (docs/decisions/003). It is split into buckets from its end, where the backward pass starts. The
// sum of a bucket begins as soon as all of its gradients are ready, in an order that is the same on
// every rank.
class GradientReducer {
 public:
  // Adds hooks to the network's parameters, which the destructor removes. The group and the network
  // must outlive the reducer. The parameters' `.grad` must already be views of `gradient`.
  GradientReducer(ProcessGroup& group, Network& network, const Tensor& gradient,
                  int64_t bucket_size = kBucketSize);
  ~GradientReducer();
  GradientReducer(const GradientReducer&) = delete;
  GradientReducer& operator=(const GradientReducer&) = delete;

  // Call this before the last backward pass that adds to the gradient.
  void begin();
  // Call this after that pass. Waits until the gradient is the sum over all ranks, and returns the
  // sum of their losses, one float64 number each, on the loss's device.
  Tensor finish(const Tensor& loss);

 private:
  struct Bucket {
    Tensor values;           // slice of the gradient
    int64_t parameters = 0;  // number of parameters in the slice
    int64_t pending = 0;     // number of those whose gradient is not ready yet
  };

  void mark_ready(size_t bucket);  // one parameter of the bucket
  void send_next();

  ProcessGroup& group_;
  const std::vector<NamedTensor>& parameters_;
  std::vector<Bucket> buckets_;  // in the order in which they are sent
  bool begun_ = false;
  std::vector<std::function<void()>> sent_;  // each waits for one bucket
};

}  // namespace halfstep::parallel

#endif  // HALFSTEP_PARALLEL_GRADIENT_REDUCER_H_
