#include "halfstep/checkpoint/state_slots.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/io/disk.h"
#include "halfstep/io/hash.h"
#include "halfstep/io/json.h"
#include "halfstep/io/safetensors.h"

namespace halfstep {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kTensors = "tensors.safetensors";
constexpr const char* kManifest = "manifest.json";
constexpr uint64_t kManifestBytes = 1 << 16;  // upper bound for the manifest and all headers

// Returns total_updates of a slot's manifest, or -1 if the manifest cannot be read.
int64_t age_of(const fs::path& folder) {
  try {
    return io::read_json(folder / kManifest).value("total_updates", int64_t{-1});
  } catch (const std::exception&) {
    return -1;
  }
}

// Returns the checksum of a manifest without its "checksum" key.
std::string checksum_of(json manifest) {
  manifest.erase("checksum");
  const std::string text = manifest.dump();
  return io::sha256_hex(std::as_bytes(std::span(text)));
}

void require_hash(const std::string& where, const json& manifest, const char* key,
                  const std::string& found) {
  const json expected = manifest.value(key, json());
  if (expected == found) return;
  throw FormatError(
      where, std::string(key) + ": expected " + expected.dump() + ", received \"" + found + "\"");
}

StateImage read_slot(const fs::path& folder) {
  const std::string manifest_path = folder / kManifest;
  const std::string tensors_path = folder / kTensors;
  StateImage state;
  state.manifest = io::read_json(manifest_path);
  if (!state.manifest.is_object()) throw FormatError(manifest_path, "expected an object");
  require_hash(manifest_path, state.manifest, "checksum", checksum_of(state.manifest));
  require_hash(tensors_path, state.manifest, "sha256", io::sha256_hex_of_file(tensors_path));
  const io::SafetensorsFile file{fs::path(tensors_path)};
  for (const auto& [name, view] : file.tensors()) {
    state.arrays.emplace(name,
                         io::Array{view.dtype, view.shape, {view.bytes.begin(), view.bytes.end()}});
  }
  return state;
}

}  // namespace

fs::path StateSlots::slot(int number) const { return folder_ / ("slot-" + std::to_string(number)); }

int StateSlots::unused() const { return !fs::exists(slot(0)) + !fs::exists(slot(1)); }

std::optional<StateSlots::Loaded> StateSlots::load(const Accept& accept) {
  std::array<int, 2> order = {0, 1};
  if (age_of(slot(1)) > age_of(slot(0))) std::swap(order[0], order[1]);
  std::string damage;
  for (const int number : order) {
    if (!fs::exists(slot(number) / kManifest)) continue;
    try {
      StateImage state = read_slot(slot(number));
      accept(state, (slot(number) / kManifest).string());
      newest_ = number;
      return Loaded{std::move(state), std::move(damage)};
    } catch (const Error& error) {
      if (!damage.empty()) damage += "; ";
      damage += std::string(error.where()) + ": " + std::string(error.text());
    }
  }
  if (damage.empty()) return std::nullopt;
  throw FormatError(folder_.string(), "expected a complete saved state, received none: " + damage);
}

void StateSlots::save(const StateImage& state) {
  if (!newest_) newest_ = age_of(slot(0)) >= std::max<int64_t>(age_of(slot(1)), 0) ? 0 : 1;
  const int number = 1 - *newest_;
  const fs::path folder = slot(number);
  io::make_folder(folder);
  std::map<std::string, io::ArrayView> views;
  uint64_t bytes = kManifestBytes;
  for (const auto& [name, array] : state.arrays) {
    views.emplace(name, array.view());
    bytes += array.bytes.size();
  }
  io::require_space(folder, bytes, kTensors);
  io::sync_file(record_);
  io::write_safetensors(folder / kTensors, views);
  json manifest = state.manifest;
  manifest["sha256"] = io::sha256_hex_of_file(folder / kTensors);
  manifest["checksum"] = checksum_of(manifest);
  io::write_json(folder / kManifest, manifest);
  newest_ = number;
}

}  // namespace halfstep
