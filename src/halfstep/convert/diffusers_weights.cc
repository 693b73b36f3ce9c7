#include "halfstep/convert/diffusers_weights.h"

#include <array>
#include <string_view>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/io/quote.h"

namespace halfstep {
namespace {

using Words = std::pair<std::string_view, std::string_view>;

// Layers outside the levels.
constexpr auto kOuter = std::to_array<Words>({{"conv_in", "conv_in"},
                                              {"dense0", "time_embedding.linear_1"},
                                              {"dense1", "time_embedding.linear_2"},
                                              {"class_emb", "class_embedding"},
                                              {"norm_out", "conv_norm_out"},
                                              {"conv_out", "conv_out"},
                                              {"mid.block_1", "mid_block.resnets.0"},
                                              {"mid.attn_1", "mid_block.attentions.0"},
                                              {"mid.block_2", "mid_block.resnets.1"}});

// Layers of a block.
constexpr auto kInner = std::to_array<Words>({{"norm1", "norm1"},
                                              {"conv1", "conv1"},
                                              {"temb_proj", "time_emb_proj"},
                                              {"norm2", "norm2"},
                                              {"conv2", "conv2"},
                                              {"nin_shortcut", "conv_shortcut"},
                                              {"norm", "group_norm"},
                                              {"qkv", "qkv"},
                                              {"proj_out", "to_out.0"}});

// Attention layers, as diffusers named them before 0.16.
constexpr auto kOld = std::to_array<Words>(
    {{"to_q", "query"}, {"to_k", "key"}, {"to_v", "value"}, {"to_out.0", "proj_attn"}});

constexpr auto kQueryKeyValue = std::to_array<std::string_view>({"to_q", "to_k", "to_v"});

bool starts_with_layer(std::string_view name, std::string_view layer) {
  return name.starts_with(layer) && (name.size() == layer.size() || name[layer.size()] == '.');
}

template <size_t N>
std::string renamed(const std::array<Words, N>& words, const std::string& name) {
  for (const auto& [ours, theirs] : words) {
    if (starts_with_layer(name, ours)) return std::string(theirs) + name.substr(ours.size());
  }
  throw Error("diffusers", "no name for the parameter " + name);
}

// "down_1.block_0" -> "down_blocks.1.resnets.0"; levels are counted from the lowest on the way up.
std::string block_of(const std::string& level, const std::string& block, int64_t levels) {
  const bool down = level.starts_with("down_");
  const int64_t index = std::stoll(level.substr(level.find('_') + 1));
  const std::string in = down ? "down_blocks." + std::to_string(index)
                              : "up_blocks." + std::to_string(levels - 1 - index);
  if (block == "downsample") return in + ".downsamplers.0";
  if (block == "upsample") return in + ".upsamplers.0";
  const std::string number = block.substr(block.find('_') + 1);
  return in + (block.starts_with("attn_") ? ".attentions." : ".resnets.") + number;
}

std::string theirs_of(const std::string& name, int64_t levels) {
  if (!name.starts_with("down_") && !name.starts_with("up_")) {
    const std::string outer = renamed(kOuter, name);
    if (!name.starts_with("mid.")) return outer;
    const size_t layer = outer.find('.', outer.find('.', outer.find('.') + 1) + 1) + 1;
    return outer.substr(0, layer) + renamed(kInner, outer.substr(layer));
  }
  const size_t dot = name.find('.');
  const size_t second = name.find('.', dot + 1);
  const std::string in =
      block_of(name.substr(0, dot), name.substr(dot + 1, second - dot - 1), levels);
  const std::string layer = name.substr(second + 1);
  // a bare convolution has only weight and bias
  const bool bare = layer == "weight" || layer == "bias";
  return in + "." + (bare ? "conv." + layer : renamed(kInner, layer));
}

// Returns three names for a qkv, one for anything else.
std::vector<std::string> names_of(const std::string& name, int64_t levels) {
  const std::string theirs = theirs_of(name, levels);
  const size_t qkv = theirs.find(".qkv.");
  if (qkv == std::string::npos) return {theirs};
  std::vector<std::string> names;
  for (const std::string_view part : kQueryKeyValue)
    names.push_back(theirs.substr(0, qkv + 1) + std::string(part) + theirs.substr(qkv + 4));
  return names;
}

std::string old_name(std::string name) {
  for (const auto& [now, then] : kOld) {
    const size_t at = name.find("." + std::string(now) + ".");
    if (at != std::string::npos) return name.replace(at + 1, now.size(), then);
  }
  return name;
}

bool is_transposed(const std::string& name) { return name == "class_emb.weight"; }

Tensor take(const std::string& name, std::map<std::string, Tensor>& tensors,
            const std::string& where) {
  auto found = tensors.find(name);
  if (found == tensors.end()) found = tensors.find(old_name(name));
  if (found == tensors.end()) {
    throw FormatError(
        where,
        "expected a tensor called " + name + ", received " +
            (tensors.empty() ? "none" : "others, such as " + io::quote(tensors.begin()->first)));
  }
  Tensor tensor = found->second;
  tensors.erase(found);
  return tensor;
}

}  // namespace

std::map<std::string, Tensor> to_diffusers(const std::vector<NamedTensor>& parameters,
                                           int64_t levels) {
  std::map<std::string, Tensor> tensors;
  for (const auto& [name, tensor] : parameters) {
    const std::vector<std::string> names = names_of(name, levels);
    const Tensor whole = is_transposed(name) ? tensor.detach().t() : tensor.detach();
    const std::vector<Tensor> parts = whole.chunk(static_cast<int64_t>(names.size()));
    for (size_t i = 0; i < names.size(); ++i) tensors.emplace(names[i], parts[i]);
  }
  return tensors;
}

Tensor take_from_diffusers(const std::string& name, int64_t levels,
                           std::map<std::string, Tensor>& tensors, const std::string& where) {
  std::vector<Tensor> parts;
  for (const std::string& theirs : names_of(name, levels)) {
    parts.push_back(take(theirs, tensors, where));
    if (parts.back().dim() == 0 || parts.back().sizes() != parts.front().sizes() ||
        parts.back().scalar_type() != parts.front().scalar_type()) {
      throw FormatError(where,
                        theirs + ": expected query, key and value of the same shape and type");
    }
  }
  if (parts.size() > 1) return at::cat(parts);
  return is_transposed(name) && parts.front().dim() == 2 ? parts.front().t() : parts.front();
}

}  // namespace halfstep
