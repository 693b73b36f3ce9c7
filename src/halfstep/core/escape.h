// Bytes that a line of text cannot hold.
#ifndef HALFSTEP_CORE_ESCAPE_H_
#define HALFSTEP_CORE_ESCAPE_H_

#include <string>

namespace halfstep {

// \xNN
inline std::string escaped(unsigned char byte) {
  constexpr char kHex[] = "0123456789abcdef";
  return {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
}

}  // namespace halfstep

#endif  // HALFSTEP_CORE_ESCAPE_H_
