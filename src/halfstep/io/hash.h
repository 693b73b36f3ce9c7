// SHA-256 (FIPS 180-4): what identifies a teacher or a data set. Lower-case hex, 64 characters.
#ifndef HALFSTEP_IO_HASH_H_
#define HALFSTEP_IO_HASH_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace halfstep::io {

class Sha256 {
 public:
  void update(std::span<const std::byte> bytes);
  // The hash of everything given so far; more may follow.
  std::string hex() const;

 private:
  void compress(const std::byte* block);

  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::byte, 64> pending_ = {};
  std::uint64_t length_ = 0;  // bytes so far; length_ % 64 of them wait in pending_
};

std::string sha256_hex(std::span<const std::byte> bytes);

// Reads the file in pieces; IoError if it cannot be read.
std::string sha256_hex_of_file(const std::filesystem::path& path);

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_HASH_H_
