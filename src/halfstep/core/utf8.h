// Text that must be UTF-8, such as the strings of JSON.
#ifndef HALFSTEP_CORE_UTF8_H_
#define HALFSTEP_CORE_UTF8_H_

#include <string>
#include <string_view>

namespace halfstep {

// Returns whether `text` is valid UTF-8 (RFC 3629: no surrogates, no overlong forms).
bool is_utf8(std::string_view text);

// Returns `text` with every byte that is not part of valid UTF-8 as \xNN.
std::string as_utf8(std::string_view text);

}  // namespace halfstep

#endif  // HALFSTEP_CORE_UTF8_H_
