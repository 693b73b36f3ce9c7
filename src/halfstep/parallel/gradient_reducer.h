// Adds up the gradient over processes while the backward pass that makes it goes on.
#ifndef HALFSTEP_PARALLEL_GRADIENT_REDUCER_H_
#define HALFSTEP_PARALLEL_GRADIENT_REDUCER_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "halfstep/core/tensor.h"
#include "halfstep/nn/network.h"
#include "halfstep/parallel/process_group.h"

namespace halfstep::parallel {

inline constexpr int64_t kBucket = int64_t{1} << 20;  // numbers sent at a time, 4 MiB

// The gradient is one vector, of which the network's `.grad` are views in the order of its
// parameters (docs/decisions/003). It is cut into buckets from its end, where a backward pass
// begins; each is sent off once all of it is there, in an order that is the same in every process.
class GradientReducer {
 public:
  // The group and the network must outlive it; the parameters have `gradient`'s views already.
  GradientReducer(ProcessGroup& group, const Network& network, const Tensor& gradient,
                  int64_t bucket = kBucket);
  ~GradientReducer();
  GradientReducer(const GradientReducer&) = delete;
  GradientReducer& operator=(const GradientReducer&) = delete;

  // The backward pass to come is the last that adds to the gradient.
  void begin();
  // After that pass: waits until the gradient is the sum over all processes. Returns the sum of
  // their losses.
  double finish(double loss);

 private:
  struct Bucket {
    Tensor values;            // a part of the gradient
    int64_t parameters = 0;   // in it
    int64_t outstanding = 0;  // of them
  };

  void arrived(size_t bucket);
  void send_off();

  ProcessGroup& group_;
  const std::vector<NamedTensor>& parameters_;
  std::vector<Bucket> buckets_;  // in the order that they are sent
  bool begun_ = false;
  std::vector<std::function<void()>> sent_;  // waits for each bucket that was
};

}  // namespace halfstep::parallel

#endif  // HALFSTEP_PARALLEL_GRADIENT_REDUCER_H_
