// Text that must be UTF-8, such as the strings of JSON.
#ifndef HALFSTEP_CORE_UTF8_H_
#define HALFSTEP_CORE_UTF8_H_

#include <cstddef>
#include <string_view>

namespace halfstep {

// Returns the length in bytes of the character that `text`, which is not empty, begins with; 0 if
// it is not valid (RFC 3629: no surrogates, no overlong forms).
std::size_t utf8_length(std::string_view text);

// Returns whether `text` is valid UTF-8.
bool is_utf8(std::string_view text);

// Returns whether a byte is not the first one of its character.
inline bool is_utf8_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

}  // namespace halfstep

#endif  // HALFSTEP_CORE_UTF8_H_
