#include "halfstep/data/check_dataset.h"

#include <gtest/gtest.h>

#include "tests/data/data_files.h"
#include "tests/io/hostile.h"
#include "tests/io/temporary_folder.h"

namespace halfstep::data {
namespace {

class CheckDataset : public testing::Test {
 protected:
  void add(const std::string& name, int first, int width = 2, int height = 2) {
    write_image(folder / name, counting_image(width, height, 3, first));
  }
  DatasetReport check(const DatasetOptions& options = {}) const {
    return check_dataset(folder.path(), options, [](int64_t, int64_t) { return true; });
  }

  io::TemporaryFolder folder;
};

TEST_F(CheckDataset, CountsTheImagesOfEachClass) {
  add("cat/a.png", 1);
  add("cat/b.png", 2);
  add("dog/c.png", 3);
  const DatasetReport report = check();
  ASSERT_EQ(report.splits.size(), 1u);
  EXPECT_EQ(report.splits[0].class_counts, (std::vector<int64_t>{2, 1}));
  EXPECT_TRUE(report.problems.empty());
  EXPECT_EQ(report.text(),
            "train       3 images of 3 x 2 x 2\n"
            "            2 classes of 1 to 2 images\n"
            "            0 cat: 2\n"
            "            1 dog: 1\n"
            "a run       can use it\n");
}

TEST_F(CheckDataset, FindsDuplicatesWithinAndAcrossSplits) {
  add("train/cat/a.png", 1);
  add("train/cat/b.png", 2);
  add("train/dog/c.png", 1);
  add("test/cat/d.png", 2);
  add("test/dog/e.png", 3);
  const DatasetReport report = check();
  ASSERT_EQ(report.splits.size(), 2u);
  EXPECT_EQ(report.splits[0].duplicates.count, 1);
  EXPECT_EQ(report.splits[0].duplicates.with_other_label, 1);
  EXPECT_EQ(report.splits[0].duplicates.named, std::vector<std::string>{"dog/c.png = cat/a.png"});
  EXPECT_EQ(report.splits[1].duplicates.count, 0);
  EXPECT_EQ(report.in_both.count, 1);
  EXPECT_EQ(report.in_both.with_other_label, 0);
  EXPECT_EQ(report.in_both.named, std::vector<std::string>{"cat/d.png = cat/b.png"});
  EXPECT_TRUE(report.problems.empty());
}

TEST_F(CheckDataset, EmptyFoldersOfASplitAreReported) {
  add("train/cat/a.png", 1);
  add("train/dog/b.png", 2);
  add("test/cat/c.png", 3);
  add("test/dog/d.png", 4);
  std::filesystem::create_directories(folder / "train/plane");
  const DatasetReport report = check();
  EXPECT_EQ(report.splits.at(0).info.passed_over.text(), "1 empty folder");
  EXPECT_EQ(report.splits.at(1).info.passed_over.text(), "");
}

TEST_F(CheckDataset, OnlySplitIsNotComparedWithItself) {
  add("test/cat/a.png", 1);
  add("test/dog/b.png", 2);
  const DatasetReport report = check();
  ASSERT_EQ(report.splits.size(), 1u);
  EXPECT_EQ(report.splits[0].info.folder, "test");
  EXPECT_EQ(report.in_both.count, 0);
}

TEST_F(CheckDataset, BrokenImagesAreAProblemUnlessTheyAreLeftOut) {
  add("a.png", 1);
  add("b.png", 2, 80, 80);
  std::string bytes = io::read_file(folder / "b.png");
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  io::write_file(folder / "b.png", std::string_view(bytes));
  EXPECT_EQ(
      check().problems,
      (std::vector<std::string>{"train: 1 broken image: b.png; --skip-broken leaves them out"}));
  const DatasetReport report = check({.skip_broken = true});
  EXPECT_TRUE(report.problems.empty());
  EXPECT_NE(report.text().find("left out: 1 broken image: b.png"), std::string::npos);
}

TEST_F(CheckDataset, OtherSizesAndRectanglesAreProblemsUnlessTheyAreResized) {
  add("a.png", 1);
  add("b.png", 2, 4, 4);
  ASSERT_EQ(check().problems.size(), 1u);
  EXPECT_NE(check().problems[0].find("b.png (4 x 4)"), std::string::npos);
  EXPECT_TRUE(check().splits[0].several_sizes);
  EXPECT_NE(check().text().find(" images of several sizes"), std::string::npos);
  EXPECT_TRUE(check({.image_size = 2}).problems.empty());
  std::filesystem::remove(folder / "a.png");
  add("b.png", 2, 4, 3);
  ASSERT_EQ(check().problems.size(), 1u);
  EXPECT_NE(check().problems[0].find("4 x 3 pixels"), std::string::npos);
}

TEST_F(CheckDataset, NumbersThatAreNotFiniteAreAProblem) {
  const std::vector<float> numbers = {1.0F, 2.0F, INFINITY, 4.0F};
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }";
  header.resize(118 - 1, ' ');
  header += '\n';
  std::string file = std::string("\x93NUMPY\1\0", 8) + static_cast<char>(118) + '\0' + header;
  file.append(reinterpret_cast<const char*>(numbers.data()), 16);
  io::write_file(folder / "set.npy", std::string_view(file));
  const DatasetReport report =
      check_dataset(folder / "set.npy", {}, [](int64_t, int64_t) { return true; });
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_NE(report.problems[0].find("example 1"), std::string::npos);
}

TEST_F(CheckDataset, DataThatCannotBeOpenedAreAnError) {
  io::expect_error<ConfigError>([&] { check(); }, "expected");
}

}  // namespace
}  // namespace halfstep::data
