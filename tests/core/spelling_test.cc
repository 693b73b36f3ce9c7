#include "halfstep/core/spelling.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace halfstep {
namespace {

TEST(EditDistance, CountsInsertionsDeletionsSubstitutionsAndExchanges) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("model", "mode"), 1U);
  EXPECT_EQ(edit_distance("mode", "model"), 1U);
  EXPECT_EQ(edit_distance("cifer10", "cifar10"), 1U);
  EXPECT_EQ(edit_distance("--modle", "--model"), 1U);
  EXPECT_EQ(edit_distance("ca", "abc"), 3U);  // optimal string alignment; 2 with Damerau's distance
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("BAG", "bag"), 0U);
}

TEST(ClosestName, IsTheNearestThatIsNearEnough) {
  const std::vector<std::string> names = {"train", "distill", "resume", "sample", "evaluate"};
  EXPECT_EQ(closest_name("trian", names), "train");
  EXPECT_EQ(closest_name("distil", names), "distill");
  EXPECT_EQ(closest_name("Sample", names), "sample");
  EXPECT_EQ(closest_name("eval", names), "evaluate");
  EXPECT_EQ(closest_name("frobnicate", names), "");
  EXPECT_EQ(closest_name("", names), "");
  EXPECT_EQ(closest_name("bag", {"bat", "bags"}), "bat");  // the first of equally near ones
  EXPECT_EQ(closest_name("--s", {"--seed", "--sampler"}), "");
  EXPECT_EQ(closest_name(std::string(1'000'000, 'a'), {std::string(1'000'000, 'a')}), "");
}

TEST(DidYouMean, EndsAMessage) {
  EXPECT_EQ(did_you_mean("Bgs", {"Bag", "Coat"}), "; did you mean Bag?");
  EXPECT_EQ(did_you_mean("cup", {"Bag", "Coat"}), "");
}

}  // namespace
}  // namespace halfstep
