#include "halfstep/io/hash.h"

#include <openssl/evp.h>

#include <array>
#include <new>
#include <nlohmann/json.hpp>

#include "halfstep/core/error.h"
#include "halfstep/core/hex.h"
#include "halfstep/io/file.h"

namespace halfstep::io {

namespace {

// These OpenSSL functions only fail when memory is exhausted.
void require(bool done) {
  if (!done) throw std::bad_alloc();
}

}  // namespace

void Sha256::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  require(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

void Sha256::update(std::span<const std::byte> bytes) {
  require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

std::string Sha256::hex() const {
  const Sha256 last;
  std::array<unsigned char, 32> digest{};
  require(EVP_MD_CTX_copy_ex(last.context_.get(), context_.get()) == 1 &&
          EVP_DigestFinal_ex(last.context_.get(), digest.data(), nullptr) == 1);
  std::string result;
  for (const unsigned char byte : digest) result += hex_digits(byte);
  return result;
}

std::string sha256_hex(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.hex();
}

std::string sha256_hex_of_file(const std::filesystem::path& path) {
  Sha256 hash;
  read_pieces(path, [&hash](std::span<const std::byte> piece) { hash.update(piece); });
  return hash.hex();
}

void require_hash(const std::string& where, const std::string& key, const nlohmann::json& expected,
                  const std::string& found) {
  if (expected == found) return;
  throw FormatError(where, key + ": expected " + expected.dump() + ", received \"" + found +
                               "\"; the file is damaged or was changed");
}

}  // namespace halfstep::io
