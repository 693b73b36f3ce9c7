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

TEST(ErrorMessage, IsUtf8WithoutControlCharacters) {
  // Latin-1, a cut and an overlong sequence, a surrogate, and U+009B, which begins an escape
  // sequence of terminals.
  EXPECT_EQ(one_line("caf\xe9"), "caf\\xe9");
  EXPECT_EQ(one_line("\xe2\x82"), "\\xe2\\x82");
  EXPECT_EQ(one_line("\xc0\x80"), "\\xc0\\x80");
  EXPECT_EQ(one_line("\xed\xa0\x80"), "\\xed\\xa0\\x80");
  EXPECT_EQ(one_line("\u009b"), "\\xc2\\x9b");
  EXPECT_EQ(one_line("gr\u00fcn \u20ac \U0001f600"), "gr\u00fcn \u20ac \U0001f600");
}

TEST(ErrorMessage, OfALongTextLosesItsMiddle) {
  const FormatError error(std::string(10'000, 'w'),
                          "received " + std::string(10'000'000, '\xff') + "; make it shorter");
  EXPECT_LT(std::string_view(error.what()).size(), 15'000u);
  EXPECT_TRUE(error.text().starts_with("received \\xff"));
  EXPECT_TRUE(error.text().ends_with("\\xff; make it shorter"));
  EXPECT_TRUE(error.where().starts_with("www"));
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
