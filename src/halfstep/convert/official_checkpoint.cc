#include "halfstep/convert/official_checkpoint.h"

#include <map>
#include <string_view>
#include <utility>

#include "halfstep/convert/flax_layout.h"
#include "halfstep/core/error.h"
#include "halfstep/core/version.h"
#include "halfstep/io/file.h"
#include "halfstep/io/flax_checkpoint.h"
#include "halfstep/model/tensor_io.h"
#include "halfstep/model/weights.h"

namespace halfstep {
namespace {

constexpr std::string_view kWeights = "ema_params/";

// Fills the network. Every array must have its place, and every parameter its arrays.
void fill(Network& network, const std::map<std::string, io::Array>& arrays,
          const std::string& where) {
  std::map<std::string, Tensor> parameters;
  const ParameterEditor editor(network);
  for (const NamedTensor& parameter : editor.parameters())
    parameters.emplace(parameter.name, parameter.tensor);
  std::map<std::string, int64_t> filled;  // elements
  for (const auto& [key, array] : arrays) {
    if (!key.starts_with(kWeights)) continue;
    const std::string path = key.substr(kWeights.size());
    const auto found = parameters.find(our_name(path));
    if (found == parameters.end())
      throw FormatError(where, path + ": expected an array of this network, received another's");
    const Tensor part = part_of(path, found->second);
    const Tensor value = to_tensor(array.view());
    if (value.numel() != part.numel()) {
      throw FormatError(where, path + ": expected " + std::to_string(part.numel()) +
                                   " real numbers, received " + at::toString(value.scalar_type()) +
                                   " " + io::to_string(value.sizes().vec()));
    }
    set_parameter({.name = path, .tensor = part}, from_flax(path, value, part.sizes()), where);
    filled[found->first] += part.numel();
  }
  for (const auto& [name, parameter] : parameters) {
    if (filled[name] != parameter.numel())
      throw FormatError(where, name + ": expected an array for it, received none");
  }
}

}  // namespace

bool may_be_official_checkpoint(const std::filesystem::path& path) {
  constexpr unsigned char kFixMap = 0x80;  // MessagePack: the low four bits are the size
  if (!std::filesystem::is_regular_file(path) || path.extension() == ".safetensors") return false;
  const std::string first = io::read_file(path, 1);
  return !first.empty() && (static_cast<unsigned char>(first[0]) & 0xf0) == kFixMap;
}

Model import_official_checkpoint(const std::filesystem::path& path, ModelSpec spec) {
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
