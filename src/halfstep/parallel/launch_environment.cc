#include "halfstep/parallel/launch_environment.h"

#include <charconv>
#include <cstdlib>
#include <limits>

#include "halfstep/core/error.h"

namespace halfstep::parallel {
namespace {

constexpr int kNoLimit = std::numeric_limits<int>::max();

// Reads a whole number from `least` to `most`, or `otherwise` if the variable is not set.
int number(const GetVariable& get, const char* name, int least, int most,
           std::optional<int> otherwise = std::nullopt) {
  const std::optional<std::string> text = get(name);
  if (!text && otherwise) return *otherwise;
  const std::string range = most == kNoLimit
                                ? "at least " + std::to_string(least)
                                : std::to_string(least) + " to " + std::to_string(most);
  if (!text) throw ConfigError(name, "expected a number, " + range + ", received none");
  int value = 0;
  const char* const end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, value);
  if (error == std::errc() && stop == end && value >= least && value <= most) return value;
  throw ConfigError(name, "expected a number, " + range + ", received \"" + *text + "\"");
}

}  // namespace

std::optional<std::string> read_variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

LaunchEnvironment launch_environment(const GetVariable& get) {
  const bool launched = get("WORLD_SIZE").has_value();
  const bool master = get("MASTER_ADDR") && get("MASTER_PORT");
  if (!launched && !(get("SLURM_NTASKS") && master)) return {};

  LaunchEnvironment launch;
  launch.size = number(get, launched ? "WORLD_SIZE" : "SLURM_NTASKS", 1, kNoLimit);
  launch.rank = number(get, launched ? "RANK" : "SLURM_PROCID", 0, launch.size - 1);
  launch.local_rank = number(get, launched ? "LOCAL_RANK" : "SLURM_LOCALID", 0, launch.size - 1, 0);
  launch.restarts =
      number(get, launched ? "TORCHELASTIC_RESTART_COUNT" : "SLURM_RESTART_COUNT", 0, kNoLimit, 0);
  launch.launcher_has_store = get("TORCHELASTIC_USE_AGENT_STORE") == "True";
  if (launch.size == 1) return launch;
  const std::optional<std::string> host = get("MASTER_ADDR");
  if (!host) {
    throw ConfigError("MASTER_ADDR", "expected the host of rank 0, because there are " +
                                         std::to_string(launch.size) + " processes, received none");
  }
  launch.master_host = *host;
  launch.master_port = static_cast<uint16_t>(number(get, "MASTER_PORT", 1, 65535));
  return launch;
}

}  // namespace halfstep::parallel
