#include "halfstep/core/utf8.h"

#include <gtest/gtest.h>

#include <string>

#include "halfstep/core/error.h"

namespace halfstep {
namespace {

TEST(Utf8, ValidTextStaysAsItIs) {
  const std::string text = "a \u00fc\u07ff\u0800\u20ac\ud7ff\ue000\uffff\U00010000\U0010ffff";
  EXPECT_TRUE(is_utf8(text));
  EXPECT_EQ(one_line(text), text);
  EXPECT_TRUE(is_utf8("\x7f"));
  EXPECT_TRUE(is_utf8(""));
}

TEST(Utf8, OtherBytesAreEscaped) {
  EXPECT_EQ(one_line("x\xff.png"), "x\\xff.png");
  EXPECT_EQ(one_line("\x80"), "\\x80");                             // a continuation alone
  EXPECT_EQ(one_line("\xe2\x82"), "\\xe2\\x82");                    // cut short
  EXPECT_EQ(one_line("\xe2\x82z"), "\\xe2\\x82z");                  // not continued
  EXPECT_EQ(one_line("\xc0\xaf"), "\\xc0\\xaf");                    // overlong
  EXPECT_EQ(one_line("\xe0\x80\xaf"), "\\xe0\\x80\\xaf");           // overlong
  EXPECT_EQ(one_line("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // a surrogate
  EXPECT_EQ(one_line("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // above U+10FFFF
  EXPECT_FALSE(is_utf8("x\xff"));
  EXPECT_FALSE(is_utf8("\xe2\x82"));
}

}  // namespace
}  // namespace halfstep
