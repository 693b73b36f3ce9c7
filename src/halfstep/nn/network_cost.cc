#include "halfstep/nn/network_cost.h"

#include <algorithm>

namespace halfstep {
namespace {

class Counter {
 public:
  explicit Counter(const UNetOptions& options) : options_(options) {}

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
    cost.flops += 4.0 * static_cast<double>(options_.emb_ch * out);
    keep(in, size_in);  // input of norm1
    keep(out, size);    // input of norm2; those of the convolutions are made again
  }

  void attention(int64_t channels, int64_t size) {
    const int64_t positions = size * size;
    conv(channels, 4 * channels, 1, size);
    cost.flops += 4.0 * static_cast<double>(positions * positions * channels);
    keep(5 * channels, size);  // input, q, k, v, mixed
  }

  void stage(int64_t in, int64_t out, int64_t size) {
    block(in, out, size);
    const auto& sizes = options_.attn_resolutions;
    if (std::find(sizes.begin(), sizes.end(), size) != sizes.end()) attention(out, size);
  }

  void resample(int64_t channels, int64_t size, Resample how) {
    if (options_.resblock_resample) return block(channels, channels, size, how);
    conv(channels, channels, 3, size);
    keep(channels, how == Resample::down ? 2 * size : size);
  }

 private:
  const UNetOptions& options_;
};

NetworkCost cost_of(const UNetOptions& options) {
  Counter count(options);
  const auto levels = static_cast<int64_t>(options.ch_mult.size());
  int64_t size = options.image_size;
  int64_t channels = options.ch;
  std::vector<int64_t> skips = {channels};
  count.dense(options.ch, options.emb_ch);
  count.dense(options.emb_ch, options.emb_ch);
  if (options.num_classes > 1) count.dense(options.num_classes, options.emb_ch);
  count.conv(options.in_channels, channels, 3, size);
  for (int64_t l = 0; l < levels; ++l) {
    const int64_t out = options.ch * options.ch_mult[static_cast<size_t>(l)];
    for (int64_t b = 0; b < options.num_res_blocks; ++b) {
      count.stage(channels, out, size);
      skips.push_back(channels = out);
    }
    if (l == levels - 1) continue;
    size /= 2;
    count.resample(channels, size, Resample::down);
    skips.push_back(channels);
  }
  count.block(channels, channels, size);
  count.attention(channels, size);
  count.block(channels, channels, size);
  for (int64_t l = levels - 1; l >= 0; --l) {
    const int64_t out = options.ch * options.ch_mult[static_cast<size_t>(l)];
    for (int64_t b = 0; b <= options.num_res_blocks; ++b) {
      count.stage(channels + skips.back(), out, size);
      skips.pop_back();
      channels = out;
    }
    if (l == 0) continue;
    size *= 2;
    count.resample(channels, size, Resample::up);
  }
  count.conv(channels, options.out_channels, 3, size);
  count.keep(2 * channels, size);
  return count.cost;
}

}  // namespace

NetworkCost network_cost(const NetworkOptions& network) {
  return std::visit([](const auto& options) { return cost_of(options); }, network);
}

}  // namespace halfstep
