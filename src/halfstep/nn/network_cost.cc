#include "halfstep/nn/network_cost.h"

#include <algorithm>

#include "halfstep/nn/unet_walk.h"

namespace halfstep {
namespace {

// The visitor that counts.
class Counter {
 public:
  explicit Counter(const UNetPlan& plan) : plan_(plan) {
    dense(plan.ch, plan.emb_ch);
    dense(plan.emb_ch, plan.emb_ch);
    if (plan.guidance_ch > 0) dense(plan.guidance_ch, plan.ch);
    if (plan.num_classes > 1) dense(plan.num_classes, plan.emb_ch);
  }

  const NetworkCost& cost() const { return cost_; }

  void conv_in(const ConvSite& site) { conv(site.in, site.out, 3, site.size_out); }

  void push() {}
  void pop(int64_t /*channels*/) {}

  void residual(const ResidualSite& site) {
    conv(site.in, site.out, 3, site.size_out);
    conv(site.out, site.out, 3, site.size_out);
    if (site.in != site.out) conv(site.in, site.out, 1, site.size_out);
    dense(plan_.emb_ch, plan_.time == TimeScaleShift::scale_shift ? 2 * site.out : site.out);
    keep(site.in, site.size_in);    // the input of norm1
    keep(site.out, site.size_out);  // the input of norm2; the convolutions' inputs are recomputed
  }

  void attention(const AttentionSite& site) {
    const int64_t positions = site.size * site.size;
    conv(site.channels, 4 * site.channels, 1, site.size);
    cost_.flops += 4.0 * static_cast<double>(positions * positions * site.channels);
    keep(5 * site.channels, site.size);  // input, q, k, v and the mix of values
  }

  void resample(const ConvSite& site) {
    conv(site.in, site.out, 3, site.size_out);
    keep(site.in, std::max(site.size_in, site.size_out));
  }

  void conv_out(const ConvSite& site) {
    conv(site.in, site.out, 3, site.size_out);
    keep(2 * site.in, site.size_in);
  }

 private:
  // k x k convolution with an output of size x size
  void conv(int64_t in, int64_t out, int64_t kernel, int64_t size) {
    cost_.flops += 2.0 * static_cast<double>(in * out * kernel * kernel * size * size);
  }

  void dense(int64_t in, int64_t out) { conv(in, out, 1, 1); }

  void keep(int64_t channels, int64_t size) {
    cost_.activations += static_cast<double>(channels * size * size);
  }

  const UNetPlan& plan_;
  NetworkCost cost_;
};

NetworkCost cost_of_plan(const UNetPlan& plan) {
  Counter counter(plan);
  walk_unet(plan, counter);
  return counter.cost();
}

NetworkCost cost_of(const UNetOptions& options) { return cost_of_plan(plan_of(options)); }

NetworkCost cost_of(const UNet2dOptions& options) {
  return cost_of_plan(plan_of(options, ScheduleOptions{}));  // the cost does not depend on it
}

NetworkCost cost_of(const TorchScriptOptions&) { return {}; }

NetworkCost cost_of(const ExternalOptions&) { return {}; }

}  // namespace

NetworkCost network_cost(const NetworkOptions& network) {
  return std::visit([](const auto& options) { return cost_of(options); }, network);
}

}  // namespace halfstep
