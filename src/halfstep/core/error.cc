#include "halfstep/core/error.h"

#include <string>

#include "halfstep/core/hex.h"
#include "halfstep/core/utf8.h"

namespace halfstep {
namespace {

// Returns whether a UTF-8 sequence is a control character: U+0000 to U+001F, U+007F to U+009F.
bool is_control(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return first < 0x20 || first == 0x7f;
  return first == 0xc2 && static_cast<unsigned char>(sequence[1]) < 0xa0;
}

// Returns `text` without its middle if it is longer than `max` bytes. The end of a message says
// what to do.
std::string without_middle(std::string_view text, std::size_t max) {
  if (text.size() <= max) return std::string(text);
  std::string_view head = text.substr(0, max * 3 / 4), tail = text.substr(text.size() - max / 4);
  while (!head.empty() && is_utf8_continuation(text[head.size()])) head.remove_suffix(1);
  while (!tail.empty() && is_utf8_continuation(tail[0])) tail.remove_prefix(1);
  return std::string(head) + " ... " + std::string(tail);
}

constexpr std::size_t kMaxWhere = 1000, kMaxText = 3000;  // bytes

}  // namespace

std::string one_line(std::string_view text) {
  std::string line;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::string_view sequence = text.substr(0, length > 0 ? length : 1);
    if (length == 0 || is_control(sequence)) {
      for (const char c : sequence) line += hex_escape(static_cast<unsigned char>(c));
    } else {
      line += sequence;
    }
    text.remove_prefix(sequence.size());
  }
  return line;
}

Error::Error(std::string_view where, std::string_view text)
    : std::runtime_error("[" + one_line(without_middle(where, kMaxWhere)) + "] " +
                         one_line(without_middle(text, kMaxText))),
      where_size_(one_line(without_middle(where, kMaxWhere)).size()) {}

}  // namespace halfstep
