#include "tests/support/flax_parameters.h"

#include <ATen/core/grad_mode.h>

#include <set>
#include <stdexcept>

namespace halfstep::test {
namespace {

struct Path {
  std::string layer;  // "mid.attn_1/q"
  std::string leaf;   // "kernel"
};

Path split(const std::string& flax_path) {
  const size_t slash = flax_path.rfind('/');
  return {flax_path.substr(0, slash), flax_path.substr(slash + 1)};
}

// 0, 1, 2 for q, k, v; -1 for any other layer
int64_t third_of_qkv(const std::string& layer) {
  const std::string name = layer.substr(layer.rfind('/') + 1);
  return name == "q" ? 0 : name == "k" ? 1 : name == "v" ? 2 : -1;
}

bool is_kernel(const std::string& flax_path) { return split(flax_path).leaf == "kernel"; }

// Of a kernel: inputs and outputs, heads joined.
std::pair<int64_t, int64_t> in_out(const std::string& flax_path, at::IntArrayRef shape) {
  if (shape.size() == 2) return {shape[0], shape[1]};
  const bool from_heads = third_of_qkv(split(flax_path).layer) < 0;  // proj_out
  return from_heads ? std::pair{shape[0] * shape[1], shape[2]}
                    : std::pair{shape[0], shape[1] * shape[2]};
}

}  // namespace

std::string our_name(const std::string& flax_path) {
  auto [layer, leaf] = split(flax_path);
  if (third_of_qkv(layer) >= 0) layer.replace(layer.size() - 1, 1, "qkv");
  for (char& c : layer) {
    if (c == '/') c = '.';
  }
  return layer + (leaf == "bias" ? ".bias" : ".weight");
}

Tensor part_of(const std::string& flax_path, const Tensor& ours) {
  const int64_t third = third_of_qkv(split(flax_path).layer);
  return third < 0 ? ours : ours.chunk(3, 0).at(static_cast<size_t>(third));
}

Tensor from_flax(const std::string& flax_path, const Tensor& value, at::IntArrayRef part_shape) {
  if (!is_kernel(flax_path)) return value.reshape(part_shape);
  if (value.dim() == 4) return value.permute({3, 2, 0, 1}).reshape(part_shape);
  const auto [in, out] = in_out(flax_path, value.sizes());
  return value.reshape({in, out}).t().reshape(part_shape);
}

Tensor to_flax(const std::string& flax_path, const Tensor& part, at::IntArrayRef flax_shape) {
  if (!is_kernel(flax_path)) return part.reshape(flax_shape);
  if (flax_shape.size() == 4) return part.permute({2, 3, 1, 0}).reshape(flax_shape);
  const auto [in, out] = in_out(flax_path, flax_shape);
  return part.reshape({out, in}).t().reshape(flax_shape);
}

Tensor find(const std::vector<NamedTensor>& parameters, const std::string& name) {
  for (const NamedTensor& parameter : parameters) {
    if (parameter.name == name) return parameter.tensor;
  }
  throw std::runtime_error("no parameter " + name);
}

void load_flax(const Golden& golden, const std::string& prefix,
               const std::vector<NamedTensor>& parameters) {
  const at::NoGradGuard no_grad;
  std::set<std::string> filled;
  for (const std::string& path : golden.keys(prefix)) {
    const std::string name = our_name(path);
    Tensor part = part_of(path, find(parameters, name));
    part.copy_(from_flax(path, golden.at(prefix + path), part.sizes()));
    filled.insert(name);
  }
  for (const NamedTensor& parameter : parameters) {
    if (!filled.contains(parameter.name)) {
      throw std::runtime_error("the vectors have no " + parameter.name);
    }
  }
}

UNetOptions unet_options(const Golden& golden) {
  const nlohmann::json& config = golden.settings().at("config");
  const auto optional = [&](const char* key) {
    return config.at(key).is_null() ? std::optional<int64_t>()
                                    : std::optional(config.at(key).get<int64_t>());
  };
  const auto time_input = config.at("logsnr_input_type").get<std::string>();
  UNetOptions options;
  options.image_size = config.at("image_size").get<int64_t>();
  options.out_channels = config.at("out_ch").get<int64_t>();
  options.ch = config.at("ch").get<int64_t>();
  options.emb_ch = config.at("emb_ch").get<int64_t>();
  options.ch_mult = config.at("ch_mult").get<std::vector<int64_t>>();
  options.num_res_blocks = config.at("num_res_blocks").get<int64_t>();
  options.attn_resolutions = config.at("attn_resolutions").get<std::vector<int64_t>>();
  options.num_heads = optional("num_heads");
  options.head_dim = optional("head_dim");
  options.dropout = config.at("dropout").get<double>();
  options.time_input = time_input_named(time_input);
  options.resblock_resample = config.at("resblock_resample").get<bool>();
  options.num_classes = config.at("num_classes").get<int64_t>();
  return options;
}

TimeInput time_input_named(const std::string& logsnr_input_type) {
  if (logsnr_input_type == "inv_cos") return TimeInput::inv_cos;
  if (logsnr_input_type == "linear") return TimeInput::linear;
  if (logsnr_input_type == "sigmoid") return TimeInput::sigmoid;
  throw std::runtime_error("golden: unknown word " + logsnr_input_type);
}

}  // namespace halfstep::test
