// SHA-256 (FIPS 180-4), as 64 lower-case hexadecimal digits. Hashes identify teachers and data
// sets.
#ifndef HALFSTEP_IO_HASH_H_
#define HALFSTEP_IO_HASH_H_

#include <cstddef>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

struct evp_md_ctx_st;  // OpenSSL's EVP_MD_CTX

namespace halfstep::io {

// Not thread-safe.
class Sha256 {
 public:
  Sha256();
  void update(std::span<const std::byte> bytes);
  // Returns the hash of all bytes so far; more may follow.
  std::string hex() const;

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

// Returns the hash of `bytes`.
std::string sha256_hex(std::span<const std::byte> bytes);

// Returns the hash of a file, which is read in pieces. Throws IoError if it cannot be read.
std::string sha256_hex_of_file(const std::filesystem::path& path);

// Throws FormatError, naming `where` and `key`, unless `expected` is the string `found`.
void require_hash(const std::string& where, const std::string& key, const nlohmann::json& expected,
                  const std::string& found);

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_HASH_H_
