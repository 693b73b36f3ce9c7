#include "halfstep/core/version.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

namespace halfstep {
namespace {

TEST(Program, PrintsItsVersion) {
  FILE* pipe = popen("\"" HALFSTEP_PROGRAM "\" --version", "r");
  ASSERT_NE(pipe, nullptr);
  std::string output(256, '\0');
  output.resize(std::fread(output.data(), 1, output.size(), pipe));
  EXPECT_EQ(pclose(pipe), 0);
  EXPECT_NE(output.find(version()), std::string::npos) << output;
}

}  // namespace
}  // namespace halfstep
