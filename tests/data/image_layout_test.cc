#include "halfstep/data/image_layout.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/io/hostile.h"

namespace halfstep::data {
namespace {

using Names = std::vector<std::string>;
using Split = DatasetOptions::Split;

// A folder with files of these names.
class FakeTree : public ImageTree {
 public:
  explicit FakeTree(Names names, std::string json = "")
      : names_(std::move(names)), json_(std::move(json)) {}

  ImageListing list(const std::string& folder) const override {
    ImageListing listing;
    const std::string prefix = folder.empty() ? "" : folder + '/';
    for (const std::string& name : names_) {
      if (name.starts_with(prefix)) listing.add(name.substr(prefix.size()));
    }
    return listing;
  }
  std::vector<std::byte> read_dataset_json(const std::string&, uint64_t) const override {
    return io::bytes_of(json_);
  }

 private:
  Names names_;
  std::string json_;
};

LabelledNames labelled(const Names& names, Split split = Split::train) {
  return labelled_images(FakeTree(names), split, "set");
}

// Returns the names of an image of a cat and one of a dog in each of these folders.
Names classes_in(const Names& folders) {
  Names names;
  for (const std::string& folder : folders) {
    for (const char* name : {"cat/a.png", "dog/b.png"}) names.push_back(folder + '/' + name);
  }
  return names;
}

const Names kCatAndDog = {"cat", "dog"};

TEST(ImageLayout, UsualNamesOfSplitsAreSplitsInAnyCase) {
  for (const auto& [train, test] :
       std::vector<std::pair<std::string, std::string>>{{"train", "test"},
                                                        {"training", "testing"},
                                                        {"Train", "Test"},
                                                        {"TRAINING", "Validation"},
                                                        {"train", "val"},
                                                        {"train", "valid"},
                                                        {"train", "dev"}}) {
    const Names names = classes_in({train, test});
    const LabelledNames training = labelled(names);
    EXPECT_EQ(training.folder, train);
    EXPECT_EQ(training.class_names, kCatAndDog);
    EXPECT_EQ(training.names, (Names{"cat/a.png", "dog/b.png"}));
    EXPECT_TRUE(training.warnings.empty());
    EXPECT_EQ(labelled(names, Split::test).folder, test);
  }
}

TEST(ImageLayout, TestImagesComeBeforeValidationImages) {
  const Names names = classes_in({"train", "valid", "test"});
  EXPECT_EQ(labelled(names).folder, "train");
  EXPECT_EQ(labelled(names, Split::test).folder, "test");
}

TEST(ImageLayout, SplitsWithoutClassesHaveNoLabels) {
  const LabelledNames images = labelled({"train/b.png", "train/a.png", "val/c.png"});
  EXPECT_EQ(images.names, (Names{"a.png", "b.png"}));
  EXPECT_EQ(images.num_classes, 0);
}

TEST(ImageLayout, TwoFoldersOfOneSplitAreRefused) {
  io::expect_error<ConfigError>(
      [] {
        labelled(classes_in({"Train", "train", "test"}));
      },
      "one folder of the training split, received Train and train");
  const Names names = classes_in({"train", "val", "dev"});
  EXPECT_EQ(labelled(names).folder, "train");
  io::expect_error<ConfigError>([&] { labelled(names, Split::test); }, "received dev and val");
}

TEST(ImageLayout, FoldersBesideTheSplitsAreNamed) {
  const LabelledNames images = labelled(classes_in({"train", "val", "test", "sample"}));
  EXPECT_EQ(images.folder, "train");
  EXPECT_EQ(images.class_names, kCatAndDog);
  EXPECT_EQ(images.warnings, Names{"folders beside the splits are not used: \"sample\", \"val\""});
}

TEST(ImageLayout, AClassNamedLikeASplitIsAClassAndIsNamed) {
  const LabelledNames images = labelled({"train/a.png", "ship/b.png", "test/c.png"});
  EXPECT_EQ(images.class_names, (Names{"ship", "test", "train"}));
  EXPECT_EQ(images.warnings,
            Names{"taken as classes, not as splits: \"test\", \"train\"; splits are a folder train "
                  "and a folder test, validation or val"});
  EXPECT_EQ(labelled(classes_in({"test", "val"})).warnings.size(), 2u);
  EXPECT_EQ(labelled({"Train2017/a.png", "val2017/b.png"}).warnings.size(), 1u);
  EXPECT_TRUE(labelled({"trainer/a.png", "valley/b.png"}).warnings.empty());
}

TEST(ImageLayout, ATrainingFolderAloneIsEnteredWithAWarning) {
  const LabelledNames images = labelled(classes_in({"train"}));
  EXPECT_EQ(images.class_names, kCatAndDog);
  EXPECT_EQ(images.warnings, Names{"the folder \"train\" has no other split beside it: there are "
                                   "no images for a test"});
  EXPECT_EQ(labelled({"train/a.png"}).num_classes, 0);
  EXPECT_EQ(labelled({"test/a.png"}).warnings,
            Names{"the only folder is \"test\"; its images are used for the training split"});
  EXPECT_EQ(labelled({"test/a.png"}, Split::test).names, Names{"a.png"});
  io::expect_error<ConfigError>([] { labelled(classes_in({"train"}), Split::test); }, "test split");
}

TEST(ImageLayout, ASingleFolderOfClassesIsEntered) {
  for (const char* top : {"pets", "a/b/pets", "pets/Train"}) {
    const LabelledNames images = labelled(classes_in({top}));
    EXPECT_EQ(images.folder, top);
    EXPECT_EQ(images.class_names, kCatAndDog);
  }
  const Names names = classes_in({"pets/train", "pets/test"});
  EXPECT_EQ(labelled(names).folder, "pets/train");
  EXPECT_EQ(labelled(names, Split::test).folder, "pets/test");
}

TEST(ImageLayout, ASingleFolderOfImagesIsAClass) {
  EXPECT_EQ(labelled({"cat/a.png", "cat/deep/b.png"}).class_names, Names{"cat"});
}

TEST(ImageLayout, DatasetJsonOfASingleFolderOrASplitIsUsed) {
  const std::string json = R"({"labels": [["00000/a.png", 1], ["00000/b.png", 0]]})";
  for (const std::string folder : {"cifar", "cifar/train"}) {
    Names names = {folder + "/00000/a.png", folder + "/00000/b.png", folder + "/dataset.json"};
    if (folder == "cifar/train") names.push_back("cifar/test/00000/a.png");
    const LabelledNames images = labelled_images(FakeTree(names, json), Split::train, "set");
    EXPECT_EQ(images.folder, folder);
    EXPECT_EQ(images.labels, (std::vector<int32_t>{1, 0}));
    EXPECT_TRUE(images.passed_over.empty()) << images.passed_over.text();
  }
}

TEST(ImageLayout, ClassFoldersThatHoldFoldersAreNamed) {
  EXPECT_EQ(labelled({"2023/cat/a.png", "2023/dog/b.png", "2024/cat/c.png"}).warnings,
            Names{"class folders hold folders, such as \"2023/cat\": the class of an image is its "
                  "top-level folder, here \"2023\""});
  EXPECT_TRUE(labelled(classes_in({"pets"})).warnings.empty());
}

TEST(ImageLayout, WhatIsPassedOverIsCountedWhereImagesAreLookedFor) {
  Names names = classes_in({"pets/train", "pets/test"});
  for (const char* name : {"licence.txt", "pets/Thumbs.db", "pets/train/cat/c.HEIC", "pets/notes",
                           "pets/test/cat/c.heic", "__MACOSX/pets/._c.heic", ".DS_Store"}) {
    names.emplace_back(name);
  }
  EXPECT_EQ(labelled(names).passed_over.text(), "3 files (1 without extension, 1 .heic, 1 .txt)");
}

TEST(ImageLayout, WithoutImagesItSaysWhatThereIs) {
  io::expect_error<ConfigError>(
      [] {
        labelled({"cat/a.heic", "dog/b.heic"});
      },
      "received none; passed over: 2 files (2 .heic)");
  io::expect_error<ConfigError>([] { labelled({}); }, "expected images, received none");
}

TEST(ImageLayout, ClassNamesArePrintableUtf8) {
  const LabelledNames images = labelled({"caf\xe9/a.png", "gr\u00fcn/b.png", "\x1b[2J/c.png"});
  EXPECT_EQ(images.class_names, (Names{"\\x1b[2J", "caf\\xe9", "gr\u00fcn"}));
}

}  // namespace
}  // namespace halfstep::data
