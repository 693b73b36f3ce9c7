// The two last states of a run on disk, each of them whole or known not to be. LibTorch-free.
//
//   slot-0/, slot-1/   tensors.safetensors, then manifest.json with the SHA-256 of it and of itself
//
// A save goes to the slot that does not hold the newest whole state, so that state is never
// touched: a kill or a power cut at any moment leaves it or the new one
// (docs/decisions/005).
#ifndef HALFSTEP_CHECKPOINT_STATE_SLOTS_H_
#define HALFSTEP_CHECKPOINT_STATE_SLOTS_H_

#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "halfstep/io/array.h"

namespace halfstep {

// A state as bytes.
struct StateImage {
  std::map<std::string, io::Array> arrays;
  nlohmann::json manifest;  // has total_updates, by which the newer state is known
};

class StateSlots {
 public:
  // `record` is a file whose length the states hold: it is on the disk before they are.
  StateSlots(std::filesystem::path folder, std::filesystem::path record)
      : folder_(std::move(folder)), record_(std::move(record)) {}

  struct Loaded {
    StateImage state;
    std::string damage;  // what is wrong with a newer state that could not be taken; mostly nothing
  };
  // The newest state that is whole and that `accept(state, name)` takes, which throws Error if not;
  // none where nothing was saved yet. Throws FormatError where states exist but none will do.
  using Accept = std::function<void(const StateImage&, const std::string&)>;
  std::optional<Loaded> load(const Accept& accept);

  // How many of the two have never been written to.
  int unused() const;

  // Throws IoError, the newest whole state untouched. The folders are made if need be.
  void save(const StateImage& state);

 private:
  std::filesystem::path slot(int number) const;

  std::filesystem::path folder_;
  std::filesystem::path record_;
  std::optional<int> newest_;  // slot of the newest whole state, once loaded or saved
};

}  // namespace halfstep

#endif  // HALFSTEP_CHECKPOINT_STATE_SLOTS_H_
