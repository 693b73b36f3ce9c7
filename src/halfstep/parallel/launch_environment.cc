#include "halfstep/parallel/launch_environment.h"

#include <charconv>
#include <cstdlib>
#include <limits>

#include "halfstep/core/error.h"

namespace halfstep::parallel {
namespace {

constexpr int kMost = std::numeric_limits<int>::max();

// A whole number from `least` to `most`.
int number(const Environment& environment, const char* name, int least, int most,
           std::optional<int> otherwise = std::nullopt) {
  const std::optional<std::string> text = environment(name);
  if (!text && otherwise) return *otherwise;
  const std::string range = most == kMost ? "at least " + std::to_string(least)
                                          : std::to_string(least) + " to " + std::to_string(most);
  if (!text) throw ConfigError(name, "expected a number, " + range + ", received none");
  int value = 0;
  const char* const end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, value);
  if (error == std::errc() && stop == end && value >= least && value <= most) return value;
  throw ConfigError(name, "expected a number, " + range + ", received \"" + *text + "\"");
}

}  // namespace

std::optional<std::string> process_environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

LaunchEnvironment launch_environment(const Environment& environment) {
  const bool launched = environment("WORLD_SIZE").has_value();
  const bool master = environment("MASTER_ADDR") && environment("MASTER_PORT");
  if (!launched && !(environment("SLURM_NTASKS") && master)) return {};

  LaunchEnvironment place;
  place.size = number(environment, launched ? "WORLD_SIZE" : "SLURM_NTASKS", 1, kMost);
  place.rank = number(environment, launched ? "RANK" : "SLURM_PROCID", 0, place.size - 1);
  place.local_rank =
      number(environment, launched ? "LOCAL_RANK" : "SLURM_LOCALID", 0, place.size - 1, 0);
  place.restarts = number(
      environment, launched ? "TORCHELASTIC_RESTART_COUNT" : "SLURM_RESTART_COUNT", 0, kMost, 0);
  place.launcher_has_store = environment("TORCHELASTIC_USE_AGENT_STORE") == "True";
  if (place.size == 1) return place;
  const std::optional<std::string> host = environment("MASTER_ADDR");
  if (!host) {
    throw ConfigError("MASTER_ADDR", "expected the host of rank 0, for there are " +
                                         std::to_string(place.size) + " processes; received none");
  }
  place.master_host = *host;
  place.master_port = static_cast<uint16_t>(number(environment, "MASTER_PORT", 1, 65535));
  return place;
}

}  // namespace halfstep::parallel
