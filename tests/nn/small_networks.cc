#include "tests/nn/small_networks.h"

#include <cmath>
#include <stdexcept>

#include "halfstep/diffusion/angle.h"
#include "tests/support/random_tensors.h"

namespace halfstep::test {

UNetOptions small_unet() {
  UNetOptions options;
  options.image_size = 8;
  options.ch = 32;
  options.emb_ch = 64;
  options.ch_mult = {1, 2};
  options.num_res_blocks = 1;
  options.attn_resolutions = {4};
  return options;
}

UNetOptions tiny_unet() {
  UNetOptions options = small_unet();
  options.in_channels = 1;
  options.out_channels = 1;
  options.emb_ch = 32;
  options.ch_mult = {1};
  options.attn_resolutions = {};
  return options;
}

UNet2dOptions small_unet2d() {
  return {.image_size = 8,
          .block_out_channels = {32, 64},
          .down_block_types = {DownBlock::plain, DownBlock::attn},
          .up_block_types = {UpBlock::attn, UpBlock::plain},
          .layers_per_block = 1,
          .attention_head_dim = 16,
          .norm_num_groups = 8};
}

std::unique_ptr<UNet> random_unet(const UNetPlan& plan, uint64_t seed) {
  auto network = std::make_unique<UNet>(plan);
  const ParameterEditor editor(*network);
  for (const NamedTensor& named : editor.parameters()) {
    const Tensor& tensor = named.tensor;
    const Tensor values = random_normal(tensor.sizes(), ++seed, at::kFloat);
    if (tensor.dim() == 1) {  // bias, or gain of a norm
      tensor.copy_((named.name.find("norm") != std::string::npos ? 1.0 : 0.0) + 0.1 * values);
    } else {
      const int64_t fan_in = tensor.numel() / tensor.size(0);
      tensor.copy_(values / std::sqrt(static_cast<double>(fan_in)));
    }
  }
  return network;
}

Tensor random_z(const UNetOptions& options, int64_t count, uint64_t seed) {
  const int64_t size = options.image_size;
  return random_normal({count, options.in_channels, size, size}, seed, at::kFloat);
}

Tensor spread_angles(int64_t count) {
  const Tensor numbers = at::arange(1, count + 1, at::TensorOptions().dtype(at::kDouble));
  return numbers * (kHalfPi / static_cast<double>(count + 1));
}

Tensor parameter(const Network& network, const std::string& name) {
  for (const NamedTensor& named : network.parameters()) {
    if (named.name == name) return named.tensor;
  }
  throw std::runtime_error("no parameter " + name);
}

bool same_parameters(const Network& a, const Network& b) {
  for (const NamedTensor& named : a.parameters()) {
    if (!at::equal(named.tensor, parameter(b, named.name))) return false;
  }
  return a.parameters().size() == b.parameters().size();
}

}  // namespace halfstep::test
