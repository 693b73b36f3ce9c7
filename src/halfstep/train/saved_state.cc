#include "halfstep/train/saved_state.h"

#include <cstring>
#include <map>

#include "halfstep/core/error.h"
#include "halfstep/io/fields.h"
#include "halfstep/model/tensor_io.h"

namespace halfstep {
namespace {

using nlohmann::json;

constexpr int kStateVersion = 2;  // 1 had no checksum and no spikes

struct ManifestFields {
  int64_t version = kStateVersion;
  Progress progress;
  int64_t updates = 0;
  int64_t adam_updates = 0;
  std::string sha256;  // these two are StateSlots'
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
    visit("seconds", self.progress.seconds, "a number");
    visit("stats_bytes", self.progress.stats_bytes, "an unsigned integer");
    visit("recent_losses", self.progress.losses.recent, "an array of numbers");
    visit("optimizer_updates", self.updates, "an integer");
    visit("adam_updates", self.adam_updates, "an integer");
    visit("sha256", self.sha256, "a hash");
    visit("checksum", self.checksum, "a hash");
  }
};

std::map<std::string, Tensor OptimizerState::*> state_tensors() {
  return {{"parameters", &OptimizerState::parameters},
          {"first_moment", &OptimizerState::first_moment},
          {"second_moment", &OptimizerState::second_moment},
          {"ema", &OptimizerState::ema}};
}

void copy_into(io::Array& array, const Tensor& vector) {
  const Tensor values = vector.detach().cpu().contiguous();
  array.dtype = io::DType::f32;
  array.shape = values.sizes().vec();
  array.bytes.resize(values.nbytes());
  std::memcpy(array.bytes.data(), values.const_data_ptr(), array.bytes.size());
}

SavedState state_of(const StateImage& image, const std::string& where) {
  SavedState state;
  json manifest = image.manifest;
  if (manifest.contains("fingerprint")) {
    state.fingerprint = manifest["fingerprint"];
    manifest.erase("fingerprint");
  }
  ManifestFields fields;
  io::fields_from_json(manifest, fields, where);
  if (fields.version < 1 || fields.version > kStateVersion) {
    throw FormatError(where, "version: expected 1 to " + std::to_string(kStateVersion) +
                                 ", received " + std::to_string(fields.version));
  }
  for (const auto& [name, member] : state_tensors()) {
    const auto found = image.arrays.find(name);
    if (found != image.arrays.end()) state.optimizer.*member = to_tensor(found->second.view());
  }
  state.progress = fields.progress;
  state.optimizer.updates = fields.updates;
  state.optimizer.adam_updates = fields.adam_updates;
  return state;
}

}  // namespace

void store(const SavedState& state, StateImage& image) {
  for (const auto& [name, member] : state_tensors()) {
    const Tensor& vector = state.optimizer.*member;
    if (vector.defined()) copy_into(image.arrays[name], vector);
  }
  image.manifest = io::fields_to_json(ManifestFields{.progress = state.progress,
                                                     .updates = state.optimizer.updates,
                                                     .adam_updates = state.optimizer.adam_updates});
  image.manifest["fingerprint"] = state.fingerprint;
}

std::optional<SavedState> load_state(StateSlots& slots) {
  SavedState state;
  const auto loaded = slots.load(
      [&](const StateImage& image, const std::string& where) { state = state_of(image, where); });
  if (!loaded) return std::nullopt;
  state.damage = loaded->damage;
  return state;
}

}  // namespace halfstep
