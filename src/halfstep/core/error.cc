#include "halfstep/core/error.h"

#include <string>

#include "halfstep/core/hex.h"

namespace halfstep {
namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// Returns the length of the UTF-8 sequence that `text` begins with; 0 if it is none, an overlong
// one, a surrogate, or beyond U+10FFFF.
std::size_t utf8_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(text[i])) return 0;
  }
  const auto second = static_cast<unsigned char>(text[1]);
  const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool surrogate = first == 0xed && second > 0x9f;
  const bool too_large = first == 0xf4 && second > 0x8f;
  return overlong || surrogate || too_large ? 0 : length;
}

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
  while (!head.empty() && is_continuation(text[head.size()])) head.remove_suffix(1);
  while (!tail.empty() && is_continuation(tail[0])) tail.remove_prefix(1);
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
