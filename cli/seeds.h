#ifndef HALFSTEP_CLI_SEEDS_H_
#define HALFSTEP_CLI_SEEDS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace halfstep::cli {

// "0-63", "7", "1,5,7-9" -> the seeds in that order. Throws ConfigError for anything else, and for
// more than ten million.
std::vector<uint64_t> parse_seeds(const std::string& text);

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_SEEDS_H_
