// Bytes as hexadecimal text.
#ifndef HALFSTEP_CORE_HEX_H_
#define HALFSTEP_CORE_HEX_H_

#include <string>

namespace halfstep {

// Returns a byte as two lower-case hexadecimal digits.
inline std::string hex_digits(unsigned char byte) {
  constexpr char kHex[] = "0123456789abcdef";
  return {kHex[byte >> 4], kHex[byte & 15]};
}

// Returns the escape sequence \xNN, for bytes that must not appear in a message as they are.
inline std::string hex_escape(unsigned char byte) { return "\\x" + hex_digits(byte); }

}  // namespace halfstep

#endif  // HALFSTEP_CORE_HEX_H_
