#include "halfstep/checkpoint/checksum.h"

#include <cstddef>
#include <span>

#include "halfstep/core/error.h"
#include "halfstep/io/hash.h"

namespace halfstep {

std::string checksum_of(nlohmann::json object) {
  object.erase("checksum");
  const std::string text = object.dump();
  return io::sha256_hex(std::as_bytes(std::span(text)));
}

void require_hash(const std::string& where, const std::string& key, const nlohmann::json& expected,
                  const std::string& found) {
  if (expected == found) return;
  throw FormatError(where, key + ": expected " + expected.dump() + ", received \"" + found +
                               "\"; the file is damaged or was changed");
}

}  // namespace halfstep
