#include "halfstep/checkpoint/state_slots.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "halfstep/checkpoint/checksum.h"
#include "halfstep/core/error.h"
#include "halfstep/io/disk.h"
#include "halfstep/io/hash.h"
#include "halfstep/io/json.h"
#include "halfstep/io/random_access.h"
#include "halfstep/io/safetensors.h"

namespace halfstep {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kTensors = "tensors.safetensors";
constexpr const char* kManifest = "manifest.json";
constexpr uint64_t kManifestBytes = 1 << 16;  // upper bound for the manifest and all headers

// Returns total_updates, or -1 if the manifest has no such number.
int64_t age_of(const json& manifest) {
  const json total = manifest.value("total_updates", json());
  return total.is_number_integer() ? total.get<int64_t>() : -1;
}

// Adds the hash of the first `bytes` of a file, or of what there is of them, from offset `from` on.
void add_file(const fs::path& path, uint64_t from, uint64_t bytes, io::Sha256& hash) {
  if (!fs::exists(path)) return;
  const io::RandomAccessFile file(path);
  std::vector<std::byte> piece(size_t{1} << 18);
  for (const uint64_t end = std::min(bytes, file.size()); from < end;) {
    const std::span<std::byte> part =
        std::span(piece).first(static_cast<size_t>(std::min<uint64_t>(piece.size(), end - from)));
    file.read_at(from, part);
    hash.update(part);
    from += part.size();
  }
}

uint64_t record_bytes(const json& manifest) { return manifest.value("stats_bytes", uint64_t{0}); }

// Throws FormatError if the manifest is damaged.
json read_manifest(const fs::path& folder) {
  const std::string path = folder / kManifest;
  json manifest = io::read_json(path);
  if (!manifest.is_object()) throw FormatError(path, "expected an object");
  io::require_hash(path, "checksum", manifest.value("checksum", json()), checksum_of(manifest));
  return manifest;
}

// Returns total_updates of a slot's manifest, or -1 if it is missing or damaged.
int64_t age_of_slot(const fs::path& folder) {
  try {
    return age_of(read_manifest(folder));
  } catch (const Error&) {
    return -1;
  }
}

StateImage read_state(const fs::path& folder, json manifest) {
  const std::string path = folder / kTensors;
  io::require_hash(path, "sha256", manifest.value("sha256", json()), io::sha256_hex_of_file(path));
  StateImage state{.arrays = {}, .manifest = std::move(manifest)};
  const io::SafetensorsFile file{fs::path(path)};
  for (const auto& [name, view] : file.tensors()) {
    state.arrays.emplace(name,
                         io::Array{view.dtype, view.shape, {view.bytes.begin(), view.bytes.end()}});
  }
  return state;
}

}  // namespace

fs::path StateSlots::slot(int number) const { return folder_ / ("slot-" + std::to_string(number)); }

int StateSlots::unused() const { return !fs::exists(slot(0)) + !fs::exists(slot(1)); }

// Checks both manifests before it trusts their numbers: a damaged one may be that of the newest
// state.
std::optional<StateSlots::Loaded> StateSlots::load(const Accept& accept) {
  std::string damage;
  const auto add_damage = [&](const Error& error) {
    damage += (damage.empty() ? "" : "; ") + std::string(error.where()) + ": " +
              std::string(error.text());
  };
  std::vector<std::pair<int, json>> manifests;  // by slot
  for (const int number : {0, 1}) {
    if (!fs::exists(slot(number) / kManifest)) continue;
    try {
      manifests.emplace_back(number, read_manifest(slot(number)));
    } catch (const Error& error) {
      add_damage(error);
    }
  }
  std::ranges::stable_sort(manifests, std::ranges::greater(),
                           [](const auto& entry) { return age_of(entry.second); });
  for (auto& [number, manifest] : manifests) {
    try {
      StateImage state = read_state(slot(number), std::move(manifest));
      accept(state, (slot(number) / kManifest).string());
      newest_ = number;
      std::string record_damage = damage_of_record(state.manifest);
      return Loaded{std::move(state), std::move(damage), std::move(record_damage)};
    } catch (const Error& error) {
      add_damage(error);
    }
  }
  if (damage.empty()) return std::nullopt;
  throw FormatError(folder_.string(), "expected a complete saved state, received none: " + damage);
}

std::string StateSlots::damage_of_record(const json& manifest) const {
  const uint64_t bytes = record_bytes(manifest);
  const uint64_t found = fs::exists(record_) ? fs::file_size(record_) : 0;
  if (found < bytes) {
    return record_.string() + ": expected at least " + std::to_string(bytes) + " bytes, received " +
           (fs::exists(record_) ? std::to_string(found) : "no file");
  }
  io::Sha256 hash;
  add_file(record_, 0, bytes, hash);
  const json expected = manifest.value("stats_sha256", json());
  if (expected == hash.hex()) return "";
  return record_.string() + ": sha256: expected " + expected.dump() + " for its first " +
         std::to_string(bytes) + " bytes, received \"" + hash.hex() + "\"";
}

std::string StateSlots::hash_of_record(uint64_t bytes) {
  if (bytes < hashed_bytes_) {
    record_hash_ = {};
    hashed_bytes_ = 0;
  }
  add_file(record_, hashed_bytes_, bytes, record_hash_);
  hashed_bytes_ = bytes;
  return record_hash_.hex();
}

void StateSlots::save(const StateImage& state) {
  if (!newest_)
    newest_ = age_of_slot(slot(0)) >= std::max<int64_t>(age_of_slot(slot(1)), 0) ? 0 : 1;
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
  manifest["stats_sha256"] = hash_of_record(record_bytes(manifest));
  manifest["sha256"] = io::sha256_hex_of_file(folder / kTensors);
  manifest["checksum"] = checksum_of(manifest);
  io::write_json(folder / kManifest, manifest);
  newest_ = number;
}

}  // namespace halfstep
