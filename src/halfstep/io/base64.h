// Base64 (RFC 4648, section 4): bytes as text, padded, on one line.
#ifndef HALFSTEP_IO_BASE64_H_
#define HALFSTEP_IO_BASE64_H_

#include <string>
#include <string_view>

namespace halfstep::io {

std::string base64(std::string_view bytes);

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_BASE64_H_
