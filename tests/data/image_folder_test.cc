#include "halfstep/data/image_folder.h"

#include <gtest/gtest.h>

#include "halfstep/data/open_dataset.h"
#include "tests/data/data_files.h"
#include "tests/io/hostile.h"
#include "tests/io/temporary_folder.h"

namespace halfstep::data {
namespace {

constexpr DatasetOptions kTest{.split = DatasetOptions::Split::test};

class ImageFolders : public testing::Test {
 protected:
  void add(const std::string& name, int first = 0, int width = 2, int height = 2,
           int channels = 3) {
    write_image(folder / name, counting_image(width, height, channels, first));
  }

  io::TemporaryFolder folder;
};

TEST_F(ImageFolders, FlatFolderHasNoLabelsAndIsSortedByName) {
  add("b.png", 20);
  add("a.png", 10);
  add("C.PNG", 0);
  const auto dataset = open_dataset(folder.path());
  EXPECT_EQ(dataset->info().format, "image-folder");
  EXPECT_EQ(dataset->info().name, folder.path().filename());
  EXPECT_EQ(dataset->info().size, 3);
  EXPECT_EQ(dataset->info().num_classes, 0);
  EXPECT_EQ(labels_of(*dataset), (std::vector<int32_t>{-1, -1, -1}));
  EXPECT_EQ(pixels_of(*dataset, 0)[0], 0);  // capitals sort first
  EXPECT_EQ(pixels_of(*dataset, 1)[0], 10);
  EXPECT_EQ(pixels_of(*dataset, 2)[0], 20);
}

TEST_F(ImageFolders, ChannelsBecomePlanes) {
  add("a.png", 0, 2, 1);
  EXPECT_EQ(pixels_of(*open_dataset(folder.path()), 0), (std::vector<uint8_t>{0, 3, 1, 4, 2, 5}));
}

TEST_F(ImageFolders, ClassIsTheTopLevelFolder) {
  add("dog/2/deep/x.png", 30);
  add("dog/1.png", 20);
  add("cat/z.png", 10);
  add("bird.d/a.png", 0);
  const auto dataset = open_dataset(folder.path());
  EXPECT_EQ(dataset->info().class_names, (std::vector<std::string>{"bird.d", "cat", "dog"}));
  EXPECT_EQ(dataset->info().num_classes, 3);
  EXPECT_EQ(labels_of(*dataset), (std::vector<int32_t>{0, 1, 2, 2}));
  EXPECT_EQ(pixels_of(*dataset, 2)[0], 20);
  EXPECT_EQ(pixels_of(*dataset, 3)[0], 30);
}

TEST_F(ImageFolders, EmptyFoldersAndHiddenAndOtherFilesAreIgnored) {
  add("cat/a.png");
  add(".cache/a.png");
  add("cat/.a.png");
  add("cat/.thumbnails/a.png");
  std::filesystem::create_directory(folder / "empty");
  io::write_file(folder / "readme.txt", std::string_view("hello"));
  io::write_file(folder / "cat" / "labels.json", std::string_view("{}"));
  const auto dataset = open_dataset(folder.path());
  EXPECT_EQ(dataset->info().size, 1);
  EXPECT_EQ(dataset->info().class_names, std::vector<std::string>{"cat"});
}

TEST_F(ImageFolders, TrainAndTestFoldersAreSplits) {
  add("train/cat/a.png", 1);
  add("train/dog/b.png", 2);
  add("test/cat/c.png", 3);
  EXPECT_EQ(open_dataset(folder.path())->info().num_classes, 2);
  EXPECT_EQ(pixels_of(*open_dataset(folder.path()), 1)[0], 2);
  EXPECT_EQ(open_dataset(folder.path(), kTest)->info().size, 1);
  EXPECT_EQ(pixels_of(*open_dataset(folder.path(), kTest), 0)[0], 3);
  EXPECT_EQ(open_dataset(folder.path(), kTest)->info().name, folder.path().filename());
}

TEST_F(ImageFolders, ValReplacesAMissingTestFolder) {
  add("train/a.png", 1);
  add("val/b.png", 2);
  EXPECT_EQ(pixels_of(*open_dataset(folder.path(), kTest), 0)[0], 2);
  EXPECT_EQ(open_dataset(folder.path())->info().num_classes, 0);
}

TEST_F(ImageFolders, AClassNamedTrainIsAClass) {
  add("train/a.png");
  add("ship/b.png");
  add("test/c.png");
  EXPECT_EQ(open_dataset(folder.path())->info().num_classes, 3);
}

TEST_F(ImageFolders, MissingTestSplitIsAConfigError) {
  add("cat/a.png");
  io::expect_error<ConfigError>([&] { open_dataset(folder.path(), kTest); },
                                "folders train and test");
}

TEST_F(ImageFolders, ImagesNextToClassFoldersAreRejected) {
  add("cat/a.png");
  add("stray.png");
  io::expect_error<ConfigError>([&] { open_dataset(folder.path()); },
                                "1 images next to folders of images, such as stray.png");
}

TEST_F(ImageFolders, MixedSizesNeedAnImageSize) {
  add("a.png", 0, 2, 2);
  add("b.png", 0, 3, 2);
  io::expect_error<ConfigError>([&] { open_dataset(folder.path()); },
                                "expected 2 x 2 pixels as in the first image, received 3 x 2");
  const auto dataset = open_dataset(folder.path(), {.image_size = 4});
  EXPECT_EQ(dataset->info().width, 4);
  EXPECT_EQ(pixels_of(*dataset, 1).size(), 3u * 4 * 4);
}

TEST_F(ImageFolders, ReadRejectsASizeThatWasNotExamined) {
  for (int i = 10; i < 60; ++i) add(std::to_string(i) + ".png");
  add("11.png", 0, 5, 5);
  const auto dataset = open_dataset(folder.path());
  pixels_of(*dataset, 0);
  io::expect_error<ConfigError>([&] { pixels_of(*dataset, 1); }, "received 5 x 5");
}

TEST_F(ImageFolders, ImageSizeCropsTheMiddleSquare) {
  add("a.png", 0, 4, 2, 1);  // 0 1 2 3 / 4 5 6 7
  EXPECT_EQ(pixels_of(*open_dataset(folder.path(), {.image_size = 2}), 0),
            (std::vector<uint8_t>{1, 2, 5, 6}));
}

TEST_F(ImageFolders, GreyImagesStayGrey) {
  add("a.png", 7, 2, 2, 1);
  const auto dataset = open_dataset(folder.path());
  EXPECT_EQ(dataset->info().channels, 1);
  EXPECT_EQ(pixels_of(*dataset, 0), (std::vector<uint8_t>{7, 8, 9, 10}));
}

TEST_F(ImageFolders, GreyImagesAmongColouredOnesBecomeRgb) {
  add("a.png", 7, 2, 1, 1);
  add("b.png", 0, 2, 1, 3);
  const auto dataset = open_dataset(folder.path());
  EXPECT_EQ(dataset->info().channels, 3);
  EXPECT_EQ(pixels_of(*dataset, 0), (std::vector<uint8_t>{7, 8, 7, 8, 7, 8}));
}

TEST_F(ImageFolders, ReadRejectsAColouredImageThatWasNotExamined) {
  for (int i = 10; i < 60; ++i) add(std::to_string(i) + ".png", 0, 2, 2, 1);
  add("11.png");
  io::expect_error<FormatError>([&] { pixels_of(*open_dataset(folder.path()), 1); },
                                "11.png: expected a grey image");
}

TEST_F(ImageFolders, DamagedImageIsNamed) {
  add("a.png");
  add("b.png");
  const std::string whole = io::read_file(folder / "b.png");
  const auto dataset = open_dataset(folder.path());
  io::write_file(folder / "b.png", std::string_view(whole).substr(0, whole.size() / 2));
  pixels_of(*dataset, 0);
  io::expect_error<FormatError>([&] { pixels_of(*dataset, 1); }, "b.png");
  std::filesystem::remove(folder / "b.png");
  io::expect_error<IoError>([&] { pixels_of(*dataset, 1); }, "b.png");
}

TEST_F(ImageFolders, FingerprintDependsOnNamesAndSizes) {
  add("cat/a.png");
  add("dog/b.png");
  const std::string before = open_dataset(folder.path())->fingerprint();
  EXPECT_EQ(open_dataset(folder.path())->fingerprint(), before);
  EXPECT_NE(open_dataset(folder.path(), {.image_size = 1})->fingerprint(), before);
  std::filesystem::rename(folder / "dog", folder / "wolf");
  EXPECT_NE(open_dataset(folder.path())->fingerprint(), before);
  std::filesystem::rename(folder / "wolf", folder / "dog");
  EXPECT_EQ(open_dataset(folder.path())->fingerprint(), before);
  add("dog/c.png");
  EXPECT_NE(open_dataset(folder.path())->fingerprint(), before);
}

TEST_F(ImageFolders, ClassFoldersMayBeLinks) {
  add("elsewhere/cats/a.png");
  std::filesystem::create_directory(folder / "set");
  std::filesystem::create_directory_symlink(folder / "elsewhere" / "cats", folder / "set" / "cat");
  EXPECT_EQ(open_dataset(folder / "set")->info().class_names, std::vector<std::string>{"cat"});
}

TEST_F(ImageFolders, NameIsThatOfTheFolderAlsoWithATrailingSlash) {
  add("flowers/a.png");
  EXPECT_EQ(open_dataset((folder / "flowers").string() + "/")->info().name, "flowers");
}

}  // namespace
}  // namespace halfstep::data
