#include "halfstep/train/checked.h"

#include "halfstep/core/error.h"

namespace halfstep {

void fail_option(const std::string& field, const std::string& expected,
                 const std::string& received) {
  throw ConfigError("options", field + ": expected " + expected + ", received " + received);
}

void require_between(int64_t least, int64_t most, const char* field, int64_t value) {
  if (value >= least && value <= most) return;
  fail_option(field, std::to_string(least) + " to " + std::to_string(most), std::to_string(value));
}

void require_updates(const char* field, int64_t value) {
  require_between(1, kMostUpdates, field, value);
}

}  // namespace halfstep
