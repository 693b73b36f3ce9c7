// Escape sequences for bytes that must not appear in a message as they are.
#ifndef HALFSTEP_CORE_ESCAPE_H_
#define HALFSTEP_CORE_ESCAPE_H_

#include <string>

namespace halfstep {

// Returns `byte` as \xNN, two lower-case hexadecimal digits.
inline std::string hex_escape(unsigned char byte) {
  constexpr char kHex[] = "0123456789abcdef";
  return {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
}

}  // namespace halfstep

#endif  // HALFSTEP_CORE_ESCAPE_H_
