#include "halfstep/core/error.h"

#include <gtest/gtest.h>

#include <string>

namespace halfstep {
namespace {

TEST(ErrorMessage, SaysWhereAndWhat) {
  EXPECT_STREQ(FormatError("gr\u00fc\u00dfe.npy", "expected more").what(),
               "[gr\u00fc\u00dfe.npy] expected more");
}

TEST(ErrorMessage, IsOneLineWhateverItHolds) {
  const std::string name("a\nb\x1b[31m\x7f\0c", 11);
  EXPECT_STREQ(IoError(name, "lost\r\n").what(), "[a\\x0ab\\x1b[31m\\x7f\\x00c] lost\\x0d\\x0a");
}

}  // namespace
}  // namespace halfstep
