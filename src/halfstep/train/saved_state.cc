#include "halfstep/train/saved_state.h"

#include <bit>
#include <cstring>
#include <map>

#include "halfstep/core/error.h"
#include "halfstep/io/fields.h"
#include "halfstep/io/json.h"
#include "halfstep/model/tensor_io.h"
#include "halfstep/train/training_error.h"

namespace halfstep {
namespace {

using nlohmann::json;

constexpr int64_t kStateVersion = 1;

struct ManifestFields {
  int64_t version = kStateVersion;
  Progress progress;
  std::string stats_sha256;  // these three belong to StateSlots
  std::string sha256;
  std::string checksum;

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("version", self.version, "an integer");
    visit("stage", self.progress.stage, "an integer");
    visit("update", self.progress.update, "an integer");
    visit("total_updates", self.progress.total_updates, "an integer");
    visit("skipped", self.progress.skipped, "an integer");
    visit("spikes", self.progress.spikes, "an integer");
    visit("loss_sum", self.progress.loss_sum, "a number");
    visit("loss_count", self.progress.loss_count, "an integer");
    visit("grad_norm", self.progress.grad_norm, "a number or null");
    visit("seconds", self.progress.seconds, "a number");
    visit("stats_bytes", self.progress.stats_bytes, "an unsigned integer");
    visit("recent_losses", self.progress.losses.recent, "an array of numbers");
    visit("stats_sha256", self.stats_sha256, "a hash");
    visit("sha256", self.sha256, "a hash");
    visit("checksum", self.checksum, "a hash");
  }
};

// The counts of one network's optimizer.
struct CountFields {
  int64_t updates = 0;
  int64_t adam_updates = 0;

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("updates", self.updates, "an integer");
    visit("adam_updates", self.adam_updates, "an integer");
  }
};

constexpr const char* kBest = "best.parameters";

std::map<std::string, Tensor OptimizerState::*> state_tensors() {
  return {{"parameters", &OptimizerState::parameters},
          {"first_moment", &OptimizerState::first_moment},
          {"second_moment", &OptimizerState::second_moment},
          {"ema", &OptimizerState::ema}};
}

// Returns whether all numbers are finite: none has an exponent of all ones.
bool is_finite(const float* values, int64_t count) {
  constexpr uint32_t kExponent = 0x7f800000;
  uint32_t found = 0;
  for (int64_t i = 0; i < count; ++i)
    found |= (std::bit_cast<uint32_t>(values[i]) & kExponent) == kExponent ? 1U : 0U;
  return found == 0;
}

void copy_into(io::Array& array, const Tensor& vector, const std::string& name) {
  const Tensor values = vector.detach().cpu().contiguous();
  if (!is_finite(values.const_data_ptr<float>(), values.numel())) {
    throw TrainingError(TrainingError::Reason::not_finite,
                        name +
                            " of the state: expected finite numbers, received inf or nan; the "
                            "states saved before are kept; try a lower --lr or --precision fp32");
  }
  array.dtype = io::DType::f32;
  array.shape = values.sizes().vec();
  array.bytes.resize(values.nbytes());
  std::memcpy(array.bytes.data(), values.const_data_ptr(), array.bytes.size());
}

OptimizerState optimizer_state(const StateImage& image, const std::string& network,
                               const json& counts, const std::string& where) {
  OptimizerState state;
  for (const auto& [name, member] : state_tensors()) {
    const auto found = image.arrays.find(network + "." + name);
    if (found != image.arrays.end()) state.*member = to_tensor(found->second.view());
  }
  CountFields fields;
  io::fields_from_json(counts, fields, where + ": networks: " + network);
  state.updates = fields.updates;
  state.adam_updates = fields.adam_updates;
  return state;
}

SavedState state_of(const StateImage& image, const std::string& where) {
  json manifest = image.manifest;
  if (const json version = manifest.value("version", json()); version != kStateVersion) {
    throw FormatError(where, "version: expected " + std::to_string(kStateVersion) + ", received " +
                                 version.dump());
  }
  SavedState state;
  state.fingerprint = io::take(manifest, "fingerprint");
  const json models = io::take(manifest, "models");
  if (!models.is_object())
    throw FormatError(where, "models: expected an object, received " + models.dump());
  for (const auto& [file, hash] : models.items()) {
    if (!hash.is_string())
      throw FormatError(where, "models: expected a hash of " + file + ", received " + hash.dump());
    state.models.emplace(file, hash.get<std::string>());
  }
  const json networks = io::take(manifest, "networks");
  if (!networks.is_object())
    throw FormatError(where, "networks: expected an object, received " + networks.dump());
  for (const auto& [name, counts] : networks.items())
    state.networks.emplace(name, optimizer_state(image, name, counts, where));
  const json quality = io::take(manifest, "evaluations");
  ManifestFields fields;
  io::fields_from_json(manifest, fields, where);
  state.progress = fields.progress;
  if (!quality.is_null())
    io::fields_from_json(quality, state.progress.quality, where + ": evaluations");
  if (state.progress.quality.best_update > 0) {
    const auto best = image.arrays.find(kBest);
    if (best == image.arrays.end())
      throw FormatError(where, std::string("expected the weights ") + kBest + ", received none");
    state.best = to_tensor(best->second.view());
  }
  return state;
}

}  // namespace

void store(const SavedState& state, StateImage& image) {
  json networks = json::object();
  for (const auto& [network, optimizer] : state.networks) {
    for (const auto& [name, member] : state_tensors()) {
      const Tensor& vector = optimizer.*member;
      if (vector.defined())
        copy_into(image.arrays[network + "." + name], vector, network + "." + name);
    }
    networks[network] = io::fields_to_json(
        CountFields{.updates = optimizer.updates, .adam_updates = optimizer.adam_updates});
  }
  if (state.best.defined()) {
    copy_into(image.arrays[kBest], state.best, kBest);
  } else {
    image.arrays.erase(kBest);
  }
  image.manifest = io::fields_to_json(ManifestFields{.progress = state.progress});
  image.manifest["evaluations"] = io::fields_to_json(state.progress.quality);
  image.manifest["networks"] = std::move(networks);
  image.manifest["models"] = json(state.models);
  image.manifest["fingerprint"] = state.fingerprint;
}

std::optional<SavedState> load_state(StateSlots& slots) {
  SavedState state;
  const auto loaded = slots.load(
      [&](const StateImage& image, const std::string& where) { state = state_of(image, where); });
  if (!loaded) return std::nullopt;
  state.damage = loaded->damage;
  state.stats_damage = loaded->record_damage;
  return state;
}

}  // namespace halfstep
