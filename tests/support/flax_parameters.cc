#include "tests/support/flax_parameters.h"

#include <set>
#include <stdexcept>

namespace halfstep::test {

Tensor to_flax(const std::string& flax_path, const Tensor& part, at::IntArrayRef flax_shape) {
  if (!flax_path.ends_with("kernel")) return part.reshape(flax_shape);
  if (flax_shape.size() == 4) return part.permute({2, 3, 1, 0}).reshape(flax_shape);
  return part.flatten(1).t().reshape(flax_shape);
}

Tensor find(const std::vector<NamedTensor>& parameters, const std::string& name) {
  for (const NamedTensor& parameter : parameters) {
    if (parameter.name == name) return parameter.tensor;
  }
  throw std::runtime_error("no parameter " + name);
}

void load_flax(const Golden& golden, const std::string& prefix, Network& network) {
  const ParameterEditor editor(network);
  std::set<std::string> filled;
  for (const std::string& path : golden.keys(prefix)) {
    const std::string name = our_name(path);
    Tensor part = part_of(path, find(editor.parameters(), name));
    part.copy_(from_flax(path, golden.at(prefix + path), part.sizes()));
    filled.insert(name);
  }
  for (const NamedTensor& parameter : editor.parameters()) {
    if (!filled.contains(parameter.name)) {
      throw std::runtime_error("golden: expected an array for " + parameter.name);
    }
  }
}

UNetOptions unet_options(const nlohmann::json& config) {
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
