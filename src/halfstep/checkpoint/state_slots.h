// The last two saved states of a run on disk. Checksums tell a complete state from a damaged one.
// LibTorch-free.
//
//   slot-0/, slot-1/   tensors.safetensors, and then manifest.json with the SHA-256 checksums of
//                      tensors.safetensors and of the manifest itself
//
// A save overwrites the slot that does not hold the newest complete state. If the process is killed
// or the power fails at any moment, either that state or the new one is left (docs/decisions/005).
#ifndef HALFSTEP_CHECKPOINT_STATE_SLOTS_H_
#define HALFSTEP_CHECKPOINT_STATE_SLOTS_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "halfstep/io/array.h"
#include "halfstep/io/hash.h"

namespace halfstep {

// A saved state in memory: arrays of bytes and a manifest.
struct StateImage {
  std::map<std::string, io::Array> arrays;
  // Must have total_updates; the higher number is the newer state. stats_bytes is the length of the
  // record that belongs to the state.
  nlohmann::json manifest;
};

// Not thread-safe.
class StateSlots {
 public:
  // `folder` holds the slots. `record` is a file that grows during the run and whose length and
  // hash are part of the states: save() syncs it before it writes a state.
  StateSlots(std::filesystem::path folder, std::filesystem::path record)
      : folder_(std::move(folder)), record_(std::move(record)) {}

  struct Loaded {
    StateImage state;
    std::string damage;         // of the other state; normally empty
    std::string record_damage;  // how the record differs from the one saved; normally empty
  };
  // Returns the newest state that is complete and accepted, or nullopt if nothing has been saved.
  // `accept(state, name)` rejects a state by throwing Error; `name` is the path of its manifest.
  // Throws FormatError if there are states but none is usable.
  using Accept = std::function<void(const StateImage&, const std::string&)>;
  std::optional<Loaded> load(const Accept& accept);

  // Returns how many of the two slots have never been written to.
  int unused() const;

  // Saves `state` and creates the folders if necessary. Throws IoError on failure, and then the
  // newest complete state is intact.
  void save(const StateImage& state);

 private:
  std::filesystem::path slot(int number) const;
  std::string damage_of_record(const nlohmann::json& manifest) const;
  // Reads only the bytes that the record has grown by since the last call.
  std::string hash_of_record(uint64_t bytes);

  std::filesystem::path folder_;
  std::filesystem::path record_;
  std::optional<int> newest_;  // slot of the newest complete state, once loaded or saved
  io::Sha256 record_hash_;     // of the record's first hashed_bytes_
  uint64_t hashed_bytes_ = 0;
};

}  // namespace halfstep

#endif  // HALFSTEP_CHECKPOINT_STATE_SLOTS_H_
