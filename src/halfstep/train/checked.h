// Checks of options. Their messages are like "[options] batch: expected at least 1, received 0".
#ifndef HALFSTEP_TRAIN_CHECKED_H_
#define HALFSTEP_TRAIN_CHECKED_H_

#include <cstdint>
#include <string>

namespace halfstep {

// Throws ConfigError.
[[noreturn]] void fail_option(const std::string& field, const std::string& expected,
                              const std::string& received);

// Throws ConfigError unless least <= value <= most.
void require_between(int64_t least, int64_t most, const char* field, int64_t value);

// The largest number of updates of a stage and of intervals in updates.
inline constexpr int64_t kMostUpdates = 1'000'000'000;

// Throws ConfigError unless 1 <= value <= kMostUpdates.
void require_updates(const char* field, int64_t value);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_CHECKED_H_
