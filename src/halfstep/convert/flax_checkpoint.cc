#include "halfstep/convert/flax_checkpoint.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/core/version.h"
#include "halfstep/io/file.h"
#include "halfstep/io/flax_checkpoint.h"
#include "halfstep/model/tensor_io.h"
#include "halfstep/model/weights.h"

namespace halfstep {
namespace {

constexpr std::string_view kWeights = "ema_params/";

struct Path {
  std::string layer;  // "mid.attn_1/q"
  std::string leaf;   // "kernel"
};

Path split(const std::string& flax_path) {
  const size_t slash = flax_path.rfind('/');
  if (slash == std::string::npos) return {"", flax_path};
  return {flax_path.substr(0, slash), flax_path.substr(slash + 1)};
}

// 0, 1, 2 for q, k, v; -1 for any other layer
int64_t third_of_qkv(const std::string& layer) {
  const std::string name = layer.substr(layer.rfind('/') + 1);
  return name == "q" ? 0 : name == "k" ? 1 : name == "v" ? 2 : -1;
}

// Every array must have its place, and every parameter its arrays.
void fill(Network& network, const std::map<std::string, io::Array>& arrays,
          const std::string& where) {
  std::map<std::string, Tensor> parameters;
  for (const NamedTensor& parameter : network.parameters())
    parameters.emplace(parameter.name, parameter.tensor);
  std::map<std::string, int64_t> filled;  // elements
  for (const auto& [key, array] : arrays) {
    if (!key.starts_with(kWeights)) continue;
    const std::string path = key.substr(kWeights.size());
    const auto found = parameters.find(our_name(path));
    if (found == parameters.end())
      throw FormatError(where, path + ": expected an array of this network, found another's");
    const Tensor part = part_of(path, found->second);
    const Tensor value = to_tensor(array.view());
    if (value.numel() != part.numel()) {
      throw FormatError(where, path + ": expected " + std::to_string(part.numel()) +
                                   " real numbers, found " + at::toString(value.scalar_type()) +
                                   " " + io::to_string(value.sizes().vec()));
    }
    set_parameter({.name = path, .tensor = part}, from_flax(path, value, part.sizes()), where);
    filled[found->first] += part.numel();
  }
  for (const auto& [name, parameter] : parameters) {
    if (filled[name] != parameter.numel())
      throw FormatError(where, name + ": expected an array for it, found none");
  }
  network.parameters_changed();
}

}  // namespace

std::string our_name(const std::string& flax_path) {
  auto [layer, leaf] = split(flax_path);
  if (third_of_qkv(layer) >= 0) layer.replace(layer.size() - 1, 1, "qkv");
  std::ranges::replace(layer, '/', '.');
  return layer + (leaf == "bias" ? ".bias" : ".weight");
}

Tensor part_of(const std::string& flax_path, const Tensor& ours) {
  const int64_t third = third_of_qkv(split(flax_path).layer);
  return third < 0 ? ours : ours.chunk(3, 0).at(static_cast<size_t>(third));
}

Tensor from_flax(const std::string& flax_path, const Tensor& value, at::IntArrayRef part_shape) {
  if (split(flax_path).leaf != "kernel") return value.reshape(part_shape);
  if (value.dim() == 4) return value.permute({3, 2, 0, 1}).reshape(part_shape);
  return value.reshape({-1, part_shape[0]}).t().reshape(part_shape);
}

bool may_be_flax_checkpoint(const std::filesystem::path& path) {
  constexpr unsigned char kMapOfAFew = 0x80;  // MessagePack: and their number
  if (!std::filesystem::is_regular_file(path) || path.extension() == ".safetensors") return false;
  const std::string first = io::read_file(path, 1);
  return !first.empty() && (static_cast<unsigned char>(first[0]) & 0xf0) == kMapOfAFew;
}

Model load_flax_checkpoint(const std::filesystem::path& path, ModelSpec spec) {
  const std::string where = path.string();
  const io::FlaxCheckpoint checkpoint = io::read_flax_checkpoint(path);
  const auto integer = [&](const char* key) {
    const auto found = checkpoint.integers.find(key);
    return found == checkpoint.integers.end() ? 0 : found->second;
  };
  spec.sampling.num_steps = integer("num_sample_steps");
  spec.origin.updates = integer("step");
  spec.origin.version = version();
  validate(spec);
  auto network = make_network(spec);
  fill(*network, checkpoint.arrays, where);
  return {std::move(spec), std::move(network)};
}

}  // namespace halfstep
