#include "halfstep/data/passed_over.h"

#include <gtest/gtest.h>

#include "halfstep/data/dataset.h"

namespace halfstep::data {
namespace {

TEST(PassedOver, CountsFilesByExtensionTheMostFrequentFirst) {
  PassedOver passed_over;
  EXPECT_TRUE(passed_over.empty());
  EXPECT_EQ(passed_over.text(), "");
  for (const char* name : {"a.BMP", "cat/b.heic", "cat.d/readme", "c.bmp", "Mr. Smith and family"})
    passed_over.add_file(name);
  EXPECT_FALSE(passed_over.empty());
  EXPECT_EQ(passed_over.text(), "5 files (2 without extension, 2 .bmp, 1 .heic)");
}

TEST(PassedOver, NamesAtMostFiveExtensions) {
  PassedOver passed_over;
  for (int i = 0; i < 1000; ++i) passed_over.add_file("a." + std::to_string(i));
  EXPECT_EQ(passed_over.text(), "1000 files (1 .0, 1 .1, 1 .10, 1 .100, 1 .101, ...)");
}

TEST(PassedOver, EachReasonIsNamed) {
  PassedOver passed_over{.files = {{".txt", 1}},
                         .not_images = 2,
                         .links = 1,
                         .broken_links = 3,
                         .special_files = 1,
                         .empty_folders = 2};
  EXPECT_EQ(passed_over.text(),
            "1 file (1 .txt), 2 entries that are not images, 1 link, 3 broken links, 2 "
            "empty folders, 1 pipe, socket or device");
  passed_over += PassedOver{.files = {{".txt", 1}, {"", 1}}, .not_images = 1, .links = 1};
  EXPECT_EQ(passed_over.files.at(".txt"), 2);
  EXPECT_EQ(passed_over.not_images, 3);
  EXPECT_EQ(passed_over.links, 2);
}

TEST(PassedOver, ControlCharactersOfExtensionsAreEscaped) {
  PassedOver passed_over;
  passed_over.add_file("a.\x1b[2J");
  EXPECT_EQ(passed_over.text(), "1 file (1 .\\x1b[2j)");
}

TEST(DatasetInfo, SummaryIsOneLine) {
  const DatasetInfo info{
      .name = "a\nb", .size = 4, .channels = 3, .height = 2, .width = 2, .num_classes = 10};
  EXPECT_EQ(info.summary(), "a\\x0ab: 4 images of 3 x 2 x 2 in 10 classes");
  EXPECT_EQ((DatasetInfo{.name = "b", .size = 2, .float32_shape = {2}}).summary(),
            "b: 2 examples of 2");
}

TEST(DatasetNotes, SayWhatWasPassedOverAndWarn) {
  DatasetInfo info;
  EXPECT_TRUE(info.notes().empty());
  info.passed_over.broken_links = 1;
  info.warnings = {"the folder train is a class"};
  EXPECT_EQ(info.notes(), (std::vector<std::string>{"passed over: 1 broken link",
                                                    "warning: the folder train is a class"}));
}

}  // namespace
}  // namespace halfstep::data
