#include "halfstep/core/version.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace halfstep {
namespace {

TEST(Version, IsThreeNumbers) {
  EXPECT_EQ(std::count(version().begin(), version().end(), '.'), 2) << version();
}

}  // namespace
}  // namespace halfstep
