// SHA-256 (FIPS 180-4): what identifies a teacher or a data set. Lower-case hex, 64 characters.
#ifndef HALFSTEP_IO_HASH_H_
#define HALFSTEP_IO_HASH_H_

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

struct evp_md_ctx_st;  // OpenSSL's EVP_MD_CTX

namespace halfstep::io {

class Sha256 {
 public:
  Sha256();
  void update(std::span<const std::byte> bytes);
  // The hash of everything given so far; more may follow.
  std::string hex() const;

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

std::string sha256_hex(std::span<const std::byte> bytes);

// Reads the file in pieces; IoError if it cannot be read.
std::string sha256_hex_of_file(const std::filesystem::path& path);

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_HASH_H_
