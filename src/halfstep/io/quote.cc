#include "halfstep/io/quote.h"

#include "halfstep/core/error.h"

namespace halfstep::io {

std::string quote(std::string_view text) {
  constexpr std::size_t kMaxShown = 60;
  std::string_view shown = text.substr(0, kMaxShown);
  // Does not end within a UTF-8 sequence, of at most 4 bytes.
  for (int i = 0; i < 3 && shown.size() < text.size() &&
                  (static_cast<unsigned char>(text[shown.size()]) & 0xc0) == 0x80;
       ++i) {
    shown.remove_suffix(1);
  }
  return '"' + one_line(shown) + (shown.size() < text.size() ? "...\"" : "\"");
}

}  // namespace halfstep::io
