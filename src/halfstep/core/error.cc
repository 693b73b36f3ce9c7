#include "halfstep/core/error.h"

#include <string>

#include "halfstep/core/hex.h"

namespace halfstep {

std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool control = byte < 0x20 || byte == 0x7f;
    line += control ? hex_escape(byte) : std::string(1, c);
  }
  return line;
}

Error::Error(std::string_view where, std::string_view text)
    : std::runtime_error("[" + one_line(where) + "] " + one_line(text)),
      where_size_(one_line(where).size()) {}

}  // namespace halfstep
