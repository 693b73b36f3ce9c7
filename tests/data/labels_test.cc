#include "halfstep/data/labels.h"

#include <gtest/gtest.h>

namespace halfstep::data {
namespace {

std::vector<std::string> warnings_of(const std::vector<int32_t>& labels, DatasetInfo info) {
  add_class_warnings(labels, info);
  return info.warnings;
}

TEST(ClassWarnings, NameTheClassesWithoutImages) {
  EXPECT_TRUE(warnings_of({}, {}).empty());
  EXPECT_TRUE(warnings_of({0, 1, 1}, {.num_classes = 2}).empty());
  EXPECT_EQ(warnings_of({0, 2, 2}, {.num_classes = 3, .class_names = {"cat", "dog", "emu"}}),
            std::vector<std::string>{"1 of 3 classes has no images: dog"});
}

TEST(ClassWarnings, SayThatLabelsBeginAtZero) {
  EXPECT_EQ(warnings_of({1, 2, 3}, {.num_classes = 4}),
            std::vector<std::string>{
                "1 of 4 classes has no images: 0; labels are expected to begin at 0"});
}

TEST(ClassWarnings, ALongListIsCut) {
  EXPECT_EQ(warnings_of({0}, {.num_classes = 1000}),
            std::vector<std::string>{
                "999 of 1000 classes have no images: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ..."});
}

}  // namespace
}  // namespace halfstep::data
