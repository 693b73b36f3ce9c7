#ifndef HALFSTEP_CLI_SEEDS_H_
#define HALFSTEP_CLI_SEEDS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace halfstep::cli {

// Parses a list of seeds such as "0-63", "7" or "1,5,7-9", in that order. Throws ConfigError for
// anything else and for more than ten million seeds.
std::vector<uint64_t> parse_seeds(const std::string& text);

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_SEEDS_H_
