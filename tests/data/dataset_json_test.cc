#include "halfstep/data/dataset_json.h"

#include <gtest/gtest.h>

#include "tests/io/hostile.h"

namespace halfstep::data {
namespace {

LabelledNames classes(std::string_view text, std::vector<std::string> names = {"a.png", "b.png"}) {
  return classes_by_json(text, std::move(names), "set dataset.json");
}

void expect_refused(std::string_view text, std::string_view part) {
  io::expect_error<FormatError>([&] { classes(text); }, part);
}

TEST(DatasetJson, NumbersAreClasses) {
  const LabelledNames images = classes(R"({"labels": [["b.png", 2], ["a.png", 0]]})");
  EXPECT_EQ(images.labels, (std::vector<int32_t>{0, 2}));
  EXPECT_EQ(images.num_classes, 3);
  EXPECT_TRUE(images.class_names.empty());
}

TEST(DatasetJson, OneHotVectorsAreClasses) {
  const LabelledNames images =
      classes(R"({"labels": [["a.png", [0, 1, 0, 0]], ["b.png", [1.0, 0.0, 0.0, 0.0]]]})");
  EXPECT_EQ(images.labels, (std::vector<int32_t>{1, 0}));
  EXPECT_EQ(images.num_classes, 4) << "the length of the vectors";
}

TEST(DatasetJson, OtherVectorsAreRejected) {
  expect_refused(R"({"labels": [["a.png", [0.3, 0.7]], ["b.png", [0, 1]]]})",
                 "expected a one-hot vector");
  expect_refused(R"({"labels": [["a.png", [1, 1]], ["b.png", [0, 1]]]})", "label of \"a.png\"");
  expect_refused(R"({"labels": [["a.png", [0, 0]], ["b.png", [0, 1]]]})",
                 "expected a one-hot vector");
  expect_refused(R"({"labels": [["a.png", ["1"]], ["b.png", [1]]]})", "expected a one-hot vector");
}

TEST(DatasetJson, LabelsMustBeOfOneKind) {
  expect_refused(R"({"labels": [["a.png", 1], ["b.png", [0, 1]]]})",
                 "the same kind of label as the others");
  expect_refused(R"({"labels": [["a.png", [1, 0]], ["b.png", [1]]]})",
                 "the same kind of label as the others");
  expect_refused(R"({"labels": [["a.png", 1.5], ["b.png", 0]]})", "a class from 0 to 1000000");
  expect_refused(R"({"labels": [["a.png", -1], ["b.png", 0]]})", "a class from 0");
  expect_refused(R"({"labels": [["a.png", 1000001], ["b.png", 0]]})", "a class from 0");
  expect_refused(R"({"labels": [["a.png", "cat"], ["b.png", 0]]})", "received \"\"cat\"\"");
}

TEST(DatasetJson, EveryImageNeedsALabelAndOtherLabelsAreIgnored) {
  expect_refused(R"({"labels": [["a.png", 1]]})", "a label for the image \"b.png\"");
  expect_refused(R"({"labels": [["a.png", 1], ["b.png", 1], ["a.png", 1]]})", "each name once");
  const LabelledNames images =
      classes(R"({"labels": [["a.png", 1], ["b.png", 0], ["gone.png", 9]]})");
  EXPECT_EQ(images.num_classes, 2);
  EXPECT_EQ(images.warnings,
            std::vector<std::string>{"dataset.json has labels of 1 images that are not there"});
}

TEST(DatasetJson, MissingLabelsAreAllowed) {
  EXPECT_EQ(classes(R"({"labels": null})").num_classes, 0);
  EXPECT_EQ(classes("{}").num_classes, 0);
}

TEST(DatasetJson, OtherFormsAreRejected) {
  expect_refused("[]", "an object with labels");
  expect_refused(R"({"labels": {"a.png": 1}})", "a list or null");
  expect_refused(R"({"labels": [["a.png", 1, 2]]})", "pairs of a name and a label");
  expect_refused(R"({"labels": [[1, "a.png"]]})", "pairs of a name and a label");
  expect_refused(R"({"labels": [["a.png", 1], ["b.png", 0]], "class_names": ["x"]})",
                 "a list of strings, one per class");
  expect_refused("{\"labels\": ", "set dataset.json");
}

// A zip of 300 KB may unpack to 300 MB of "[],".
TEST(DatasetJson, TheFirstBadLabelEndsTheReading) {
  std::string bomb = "{\"labels\": [";
  for (int i = 0; i < 1'000'000; ++i) bomb += "[],";
  expect_refused(bomb, "pairs of a name and a label, received \"[]\"");
}

TEST(DatasetJson, ItsSizeIsLimitedByTheNumberOfImages) {
  EXPECT_EQ(max_dataset_json(0), 134'217'728u);
  EXPECT_EQ(max_dataset_json(1000) - max_dataset_json(0), 8'192'000u);
}

TEST(DatasetJson, RoundTrips) {
  const LabelledNames written{.names = {"a.png", "b.png"},
                              .labels = {2, 0},
                              .num_classes = 4,
                              .class_names = {"cat", "dog", "ship", "frog"}};
  const LabelledNames read = classes(dataset_json(written));
  EXPECT_EQ(read.labels, written.labels);
  EXPECT_EQ(read.num_classes, 4);
  EXPECT_EQ(read.class_names, written.class_names);
  EXPECT_EQ(dataset_json({.names = {"a.png"}}), R"({"labels":null})");
  io::expect_error<ConfigError>(
      [] { dataset_json({.names = {"a"}, .labels = {0}, .class_names = {"\xff"}}); }, "UTF-8");
}

}  // namespace
}  // namespace halfstep::data
