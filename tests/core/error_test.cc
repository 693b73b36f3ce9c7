#include "halfstep/core/error.h"

#include <gtest/gtest.h>

#include <string>

namespace halfstep {
namespace {

TEST(ErrorMessage, HasPlaceAndText) {
  EXPECT_STREQ(FormatError("gr\u00fc\u00dfe.npy", "expected more").what(),
               "[gr\u00fc\u00dfe.npy] expected more");
}

TEST(ErrorMessage, IsOneLineForAnyContent) {
  const std::string name("a\nb\x1b[31m\x7f\0c", 11);
  EXPECT_STREQ(IoError(name, "lost\r\n").what(), "[a\\x0ab\\x1b[31m\\x7f\\x00c] lost\\x0d\\x0a");
}

TEST(ErrorMessage, PartsAreAccessible) {
  const ConfigError error("a]\n.json", "expected [1], received 2");
  EXPECT_EQ(error.where(), "a]\\x0a.json");
  EXPECT_EQ(error.text(), "expected [1], received 2");
  const ConfigError copy = error;  // NOLINT(performance-unnecessary-copy-initialization): tested
  EXPECT_EQ(copy.where(), error.where());
  EXPECT_STREQ(FormatError("b", copy.text()).what(), "[b] expected [1], received 2");
}

}  // namespace
}  // namespace halfstep
