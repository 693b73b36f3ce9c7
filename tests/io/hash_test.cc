#include "halfstep/io/hash.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/io/hostile.h"
#include "tests/io/temporary_folder.h"

namespace halfstep::io {
namespace {

// The examples of FIPS 180-4 and NIST's long message.
TEST(Sha256, HashesTheExamplesOfTheStandard) {
  EXPECT_EQ(sha256_hex({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex(bytes_of("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex(bytes_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256_hex(bytes_of(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, HashDoesNotDependOnThePieces) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += static_cast<char>(i * 7);
  for (const std::size_t length : {0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 300}) {
    const Bytes whole = bytes_of(std::string_view(text).substr(0, length));
    for (const std::size_t piece : {1, 3, 63, 64, 65}) {
      Sha256 hash;
      for (std::size_t at = 0; at < length; at += piece) {
        hash.update(std::span(whole).subspan(at, std::min(piece, length - at)));
      }
      EXPECT_EQ(hash.hex(), sha256_hex(whole)) << length << " bytes by " << piece;
    }
  }
}

TEST(Sha256, HexDoesNotChangeTheState) {
  Sha256 hash;
  hash.update(bytes_of("ab"));
  (void)hash.hex();
  hash.update(bytes_of("c"));
  EXPECT_EQ(hash.hex(), sha256_hex(bytes_of("abc")));
}

TEST(Sha256, HashesTheContentsOfAFile) {
  const TemporaryFolder folder;
  const std::string text(1 << 20, 'x');
  write_file(folder / "file", text);
  EXPECT_EQ(sha256_hex_of_file(folder / "file"), sha256_hex(bytes_of(text)));
}

TEST(Sha256, MissingFileIsAnIoErrorWithItsName) {
  const TemporaryFolder folder;
  expect_error<IoError>([&] { sha256_hex_of_file(folder / "absent"); }, "absent");
}

TEST(RequireHash, NamesBothHashesIfTheyDiffer) {
  EXPECT_NO_THROW(require_hash("file", "key", "ab", "ab"));
  expect_error<FormatError>([] { require_hash("file", "key", "ab", "cd"); },
                            "[file] key: expected \"ab\", received \"cd\"");
  expect_error<FormatError>([] { require_hash("file", "key", nullptr, "cd"); }, "expected null");
}

}  // namespace
}  // namespace halfstep::io
