#include "halfstep/core/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace halfstep {
namespace {

TEST(Utf8, ValidTextStaysAsItIs) {
  const std::string text = "a\x7f \u00fc\u07ff\u0800\u20ac\ud7ff\ue000\uffff\U00010000\U0010ffff";
  EXPECT_TRUE(is_utf8(text));
  EXPECT_EQ(as_utf8(text), text);
  EXPECT_TRUE(is_utf8(""));
}

TEST(Utf8, OtherBytesAreEscaped) {
  EXPECT_EQ(as_utf8("x\xff.png"), "x\\xff.png");
  EXPECT_EQ(as_utf8("\x80"), "\\x80");                             // a continuation alone
  EXPECT_EQ(as_utf8("\xe2\x82"), "\\xe2\\x82");                    // cut short
  EXPECT_EQ(as_utf8("\xe2\x82z"), "\\xe2\\x82z");                  // not continued
  EXPECT_EQ(as_utf8("\xc0\xaf"), "\\xc0\\xaf");                    // overlong
  EXPECT_EQ(as_utf8("\xe0\x80\xaf"), "\\xe0\\x80\\xaf");           // overlong
  EXPECT_EQ(as_utf8("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // a surrogate
  EXPECT_EQ(as_utf8("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // above U+10FFFF
  EXPECT_FALSE(is_utf8("x\xff"));
  EXPECT_FALSE(is_utf8("\xe2\x82"));
}

}  // namespace
}  // namespace halfstep
