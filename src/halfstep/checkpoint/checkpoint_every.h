// How often a run saves its state.
#ifndef HALFSTEP_CHECKPOINT_CHECKPOINT_EVERY_H_
#define HALFSTEP_CHECKPOINT_CHECKPOINT_EVERY_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace halfstep {

// "500": updates of a stage; "90s", "10m", "2h": time since the state before was begun. When states
// are saved changes nothing of the result.
struct CheckpointEvery {
  int64_t count = 5;  // at least 1, at most 10^9
  char unit = 'm';    // s, m, h; 0: updates

  std::string text() const;
  static std::optional<CheckpointEvery> of(std::string_view text);

  // Whether a state is due after `update` updates of a stage, this long after the one before.
  bool due(int64_t update, std::chrono::duration<double> since) const;

  // What of() accepts, for messages.
  static constexpr const char* kSyntax = "a number of updates (500) or a time (90s, 10m, 2h)";

  bool operator==(const CheckpointEvery&) const = default;
};

}  // namespace halfstep

#endif  // HALFSTEP_CHECKPOINT_CHECKPOINT_EVERY_H_
