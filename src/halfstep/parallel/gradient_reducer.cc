#include "halfstep/parallel/gradient_reducer.h"

#include <ATen/Functions.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <memory>

namespace halfstep::parallel {
namespace {

// Runs after each accumulation into a parameter's gradient.
struct Hook final : torch::autograd::PostAccumulateGradHook {
  explicit Hook(std::function<void()> run) : run(std::move(run)) {}
  void operator()(const Tensor& /*parameter*/) override { run(); }
  std::function<void()> run;
};

}  // namespace

GradientReducer::GradientReducer(ProcessGroup& group, Network& network, const Tensor& gradient,
                                 int64_t bucket_size)
    : group_(group), parameters_(network.parameters()) {
  int64_t end = gradient.numel();
  int64_t parameters = 0;
  for (size_t i = parameters_.size(); i-- > 0;) {
    const Tensor& parameter = parameters_[i].tensor;
    ++parameters;
    torch::autograd::impl::set_post_acc_grad_hooks(
        parameter, std::make_unique<Hook>([this, n = buckets_.size()] { mark_ready(n); }));
    const int64_t begin = parameter.grad().storage_offset();
    if (end - begin < bucket_size && i > 0) continue;
    buckets_.push_back(
        {.values = gradient.narrow(0, begin, end - begin), .parameters = parameters});
    end = begin;
    parameters = 0;
  }
}

GradientReducer::~GradientReducer() {
  for (const NamedTensor& parameter : parameters_)
    torch::autograd::impl::set_post_acc_grad_hooks(parameter.tensor, nullptr);
}

void GradientReducer::begin() {
  begun_ = true;
  sent_.clear();
  for (Bucket& bucket : buckets_) bucket.pending = bucket.parameters;
}

void GradientReducer::mark_ready(size_t bucket) {
  if (!begun_) return;
  --buckets_[bucket].pending;
  while (sent_.size() < buckets_.size() && buckets_[sent_.size()].pending == 0) send_next();
}

void GradientReducer::send_next() {
  sent_.push_back(group_.begin_sum(buckets_[sent_.size()].values));
}

Tensor GradientReducer::finish(const Tensor& loss) {
  begun_ = false;
  // Parameters that this pass did not use never become ready.
  while (sent_.size() < buckets_.size()) send_next();
  const Tensor sum = loss.reshape({1}).clone();
  sent_.push_back(group_.begin_sum(sum));
  for (const std::function<void()>& wait : sent_) wait();
  return sum[0];
}

}  // namespace halfstep::parallel
