#include "halfstep/checkpoint/checksum.h"

#include <cstddef>
#include <span>

#include "halfstep/io/hash.h"

namespace halfstep {

std::string checksum_of(nlohmann::json object) {
  object.erase("checksum");
  const std::string text = object.dump();
  return io::sha256_hex(std::as_bytes(std::span(text)));
}

}  // namespace halfstep
