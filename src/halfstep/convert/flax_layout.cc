#include "halfstep/convert/flax_layout.h"

#include <algorithm>

namespace halfstep {
namespace {

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

}  // namespace halfstep
