#include "halfstep/io/quote.h"

#include "halfstep/core/hex.h"

namespace halfstep::io {

std::string quote(std::string_view text) {
  constexpr std::size_t kMaxShown = 60;
  std::string result = "\"";
  for (const char c : text.substr(0, kMaxShown)) {
    const bool printable = c >= 0x20 && c < 0x7f;
    result += printable ? std::string(1, c) : hex_escape(static_cast<unsigned char>(c));
  }
  return result + (text.size() > kMaxShown ? "...\"" : "\"");
}

}  // namespace halfstep::io
