// How often a run saves its state, as given by --checkpoint-every.
#ifndef HALFSTEP_CHECKPOINT_CHECKPOINT_EVERY_H_
#define HALFSTEP_CHECKPOINT_CHECKPOINT_EVERY_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace halfstep {

// An interval in updates of a stage ("500") or in wall time since the previous save began ("90s",
// "10m", "2h"). The interval does not affect the result of a run.
struct CheckpointEvery {
  int64_t count = 5;  // from 1 to 10^9
  char unit = 'm';    // 's', 'm', 'h', or 0 for updates

  // Returns the interval as of() accepts it.
  std::string text() const;
  // Parses an interval; nullopt for any other text.
  static std::optional<CheckpointEvery> of(std::string_view text);

  // Returns whether a save is due after `update` updates of a stage, `since` after the previous
  // save began.
  bool due(int64_t update, std::chrono::duration<double> since) const;

  // What of() accepts, for messages, and its name in --help.
  static constexpr const char* kSyntax = "a number of updates (500) or a time (90s, 10m, 2h)";
  static constexpr const char* kTypeName = "INTERVAL";

  bool operator==(const CheckpointEvery&) const = default;
};

}  // namespace halfstep

#endif  // HALFSTEP_CHECKPOINT_CHECKPOINT_EVERY_H_
