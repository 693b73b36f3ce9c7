#include "halfstep/core/error.h"

#include <string>

namespace halfstep {

std::string one_line(std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string line;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      line += c;
    } else {
      line += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return line;
}

Error::Error(std::string_view where, std::string_view what)
    : std::runtime_error(one_line("[" + std::string(where) + "] " + std::string(what))) {}

}  // namespace halfstep
