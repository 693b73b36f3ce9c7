#include "halfstep/nn/network_cost.h"

#include "halfstep/nn/unet_plan.h"

namespace halfstep {
namespace {

class Counter {
 public:
  explicit Counter(const UNetPlan& plan) : plan_(plan) {}

  NetworkCost cost;

  void conv(int64_t in, int64_t out, int64_t kernel, int64_t size) {
    cost.flops += 2.0 * static_cast<double>(in * out * kernel * kernel * size * size);
  }

  void dense(int64_t in, int64_t out) { conv(in, out, 1, 1); }

  void keep(int64_t channels, int64_t size) {
    cost.activations += static_cast<double>(channels * size * size);
  }

  // size: of the output
  void block(int64_t in, int64_t out, int64_t size, Resample how = Resample::none) {
    const int64_t size_in = how == Resample::up     ? size / 2
                            : how == Resample::down ? size * 2
                                                    : size;
    conv(in, out, 3, size);
    conv(out, out, 3, size);
    if (in != out) conv(in, out, 1, size);
    dense(plan_.emb_ch, plan_.time == TimeScaleShift::scale_shift ? 2 * out : out);
    keep(in, size_in);  // input of norm1
    keep(out, size);    // input of norm2; those of the convolutions are made again
  }

  void attention(int64_t channels, int64_t size) {
    const int64_t positions = size * size;
    conv(channels, 4 * channels, 1, size);
    cost.flops += 4.0 * static_cast<double>(positions * positions * channels);
    keep(5 * channels, size);  // input, q, k, v, mixed
  }

  void stage(int64_t in, int64_t out, int64_t size, bool attend) {
    block(in, out, size);
    if (attend) attention(out, size);
  }

  void resample(int64_t channels, int64_t size, UNetPlan::Resampler kind, Resample how) {
    if (kind == UNetPlan::Resampler::block) return block(channels, channels, size, how);
    conv(channels, channels, 3, size);
    keep(channels, how == Resample::down ? 2 * size : size);
  }

 private:
  const UNetPlan& plan_;
};

NetworkCost cost_of_plan(const UNetPlan& plan) {
  Counter count(plan);
  const auto levels = static_cast<int64_t>(plan.levels.size());
  int64_t size = plan.image_size;
  int64_t channels = plan.ch;
  std::vector<int64_t> skips = {channels};
  count.dense(plan.ch, plan.emb_ch);
  count.dense(plan.emb_ch, plan.emb_ch);
  if (plan.num_classes > 1) count.dense(plan.num_classes, plan.emb_ch);
  count.conv(plan.in_channels, channels, 3, size);
  for (int64_t l = 0; l < levels; ++l) {
    const UNetPlan::Level& level = plan.levels[static_cast<size_t>(l)];
    for (int64_t b = 0; b < plan.blocks; ++b) {
      count.stage(channels, level.channels, size, level.attend_down);
      skips.push_back(channels = level.channels);
    }
    if (l == levels - 1) continue;
    size /= 2;
    count.resample(channels, size, level.down, Resample::down);
    skips.push_back(channels);
  }
  count.stage(channels, channels, size, plan.attend_mid);
  count.block(channels, channels, size);
  for (int64_t l = levels - 1; l >= 0; --l) {
    const UNetPlan::Level& level = plan.levels[static_cast<size_t>(l)];
    for (int64_t b = 0; b <= plan.blocks; ++b) {
      count.stage(channels + skips.back(), level.channels, size, level.attend_up);
      skips.pop_back();
      channels = level.channels;
    }
    if (l == 0) continue;
    size *= 2;
    count.resample(channels, size, level.up, Resample::up);
  }
  count.conv(channels, plan.out_channels, 3, size);
  count.keep(2 * channels, size);
  return count.cost;
}

NetworkCost cost_of(const UNetOptions& options) { return cost_of_plan(plan_of(options)); }

NetworkCost cost_of(const UNet2dOptions& options) {
  return cost_of_plan(plan_of(options, ScheduleOptions{}));  // no cost depends on the schedule
}

NetworkCost cost_of(const TorchScriptOptions&) { return {}; }

}  // namespace

NetworkCost network_cost(const NetworkOptions& network) {
  return std::visit([](const auto& options) { return cost_of(options); }, network);
}

}  // namespace halfstep
