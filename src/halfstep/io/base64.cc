#include "halfstep/io/base64.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstdint>

namespace halfstep::io {
namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t group = 0;  // 24 bits, padded with zeros
    for (std::size_t i = 0; i < 3; ++i)
      group = group << 8 | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0u);
    for (std::size_t digit = 0; digit < 4; ++digit)
      text += digit <= count ? kDigits[group >> (18 - 6 * digit) & 63] : '=';
  }
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  constexpr std::size_t kMostText = std::size_t{1} << 30;
  if (text.empty()) return std::string();
  if (text.size() % 4 != 0 || text.size() > kMostText) return std::nullopt;
  // OpenSSL ignores white space around the text and reads '=' as a digit in the middle of it.
  const std::size_t digits = text.find_last_not_of('=') + 1;
  if (text.size() - digits > 2 ||
      text.substr(0, digits).find_first_not_of(kDigits) != std::string_view::npos) {
    return std::nullopt;
  }
  std::string bytes(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  if (size != static_cast<int>(bytes.size())) return std::nullopt;
  bytes.resize(bytes.size() - (text.size() - digits));
  return bytes;
}

}  // namespace halfstep::io
