// Base64 (RFC 4648, section 4).
#ifndef HALFSTEP_IO_BASE64_H_
#define HALFSTEP_IO_BASE64_H_

#include <optional>
#include <string>
#include <string_view>

namespace halfstep::io {

// Returns `bytes` in Base64, padded with '=' and on one line.
std::string base64(std::string_view bytes);

// Returns the bytes that padded Base64 stands for; nullopt for other text.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_BASE64_H_
