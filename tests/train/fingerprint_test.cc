#include "halfstep/train/fingerprint.h"

#include <gtest/gtest.h>

#include "tests/train/small_runs.h"

namespace halfstep {
namespace {

TEST(Fingerprint, NamesEverythingThatBitsDependOn) {
  const auto dataset = test::small_dataset();
  const nlohmann::json print = fingerprint(*dataset, at::kCPU);
  for (const char* key : {"threads", "cpu_capability", "device", "libtorch", "halfstep", "data"}) {
    EXPECT_TRUE(print.contains(key)) << key;
  }
  EXPECT_EQ(print, fingerprint(*test::small_dataset(), at::kCPU));
  EXPECT_NE(print, fingerprint(*test::small_dataset(12, 1), at::kCPU));
}

TEST(Fingerprint, DifferencesNameWhatChanged) {
  const nlohmann::json now = {{"data", "abc"}, {"processes", 1}, {"threads", 4}};
  EXPECT_EQ(differences(now, now), "");
  EXPECT_EQ(differences({{"data", "abc"}, {"processes", 1}, {"threads", 2}}, now),
            "threads was 2, is 4");
  // A state of another version: one key is new, and one no longer exists.
  EXPECT_EQ(differences({{"data", "xyz"}, {"threads", 4}, {"libtorch", "2.7"}}, now),
            "data was \"xyz\", is \"abc\"; processes was unknown, is 1");
}

}  // namespace
}  // namespace halfstep
