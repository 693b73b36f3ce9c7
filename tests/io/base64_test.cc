#include "halfstep/io/base64.h"

#include <gtest/gtest.h>

namespace halfstep::io {
namespace {

TEST(Base64, EncodesTheExamplesOfRfc4648) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
  EXPECT_EQ(base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
}

TEST(Base64, UsesAllDigits) {
  EXPECT_EQ(base64(std::string("\x00\x10\x83\x10\x51\x87\x20\x92\x8b", 9)), "ABCDEFGHIJKL");
  EXPECT_EQ(base64("\xff\xef\xbe\xfb\xff"), "/++++/8=");
  EXPECT_EQ(base64("\xff\xff\xff"), "////");
}

TEST(Base64, DecodesWhatItEncodes) {
  for (const std::string& bytes : {std::string(), std::string("f"), std::string("fo"),
                                   std::string("\x00\xff\x10", 3), std::string("foobar!")})
    EXPECT_EQ(from_base64(base64(bytes)), bytes);
}

TEST(Base64, RefusesOtherText) {
  for (const char* text :
       {"Zg", "Zg=", "Zg===", "Z===", "====", "Zm9v\n", " Zm9", "Zm9-", "Zg==Zg=="})
    EXPECT_FALSE(from_base64(text)) << text;
}

}  // namespace
}  // namespace halfstep::io
