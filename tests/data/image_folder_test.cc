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
                                "1 of 2 x 2 and 1 of other sizes: b.png (3 x 2); set --image-size");
  const auto dataset = open_dataset(folder.path(), {.image_size = 4});
  EXPECT_EQ(dataset->info().width, 4);
  EXPECT_EQ(pixels_of(*dataset, 1).size(), 3u * 4 * 4);
}

TEST_F(ImageFolders, ImagesOfOtherSizesAreNamedAtOnce) {
  for (int i = 100; i < 200; ++i) add(std::to_string(i) + ".png");
  add("111.png", 0, 5, 5);
  add("177.png", 0, 2, 3);
  io::expect_error<ConfigError>(
      [&] { open_dataset(folder.path()); },
      "98 of 2 x 2 and 2 of other sizes: 177.png (2 x 3), 111.png (5 x 5); set --image-size");
}

TEST_F(ImageFolders, BrokenImagesAreNamedAtOnce) {
  for (const char* name : {"cat/a.png", "cat/b.png", "dog/c.png", "dog/d.png"}) add(name);
  const std::string whole = io::read_file(folder / "cat/b.png");
  io::write_file(folder / "cat/b.png", std::string_view(whole).substr(0, whole.size() / 2));
  io::write_file(folder / "dog/c.png", std::string_view());
  io::expect_error<FormatError>([&] { open_dataset(folder.path()); },
                                "received 2 broken images: cat/b.png, dog/c.png; the first: png: ");
  const auto dataset = open_dataset(folder.path(), {.skip_broken = true});
  EXPECT_EQ(dataset->info().size, 2);
  EXPECT_EQ(dataset->info().broken.count, 2);
  EXPECT_EQ(dataset->info().notes(),
            std::vector<std::string>{"left out: 2 broken images: cat/b.png, dog/c.png"});
  EXPECT_EQ(labels_of(*dataset), (std::vector<int32_t>{0, 1}));
}

TEST_F(ImageFolders, DamageInTheMiddleIsFoundWhereAllImagesAreDecoded) {
  add("a.png");
  add("b.png", 0, 80, 80);
  std::string bytes = io::read_file(folder / "b.png");
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  io::write_file(folder / "b.png", std::string_view(bytes));
  const auto some = open_dataset(folder.path(), {.image_size = 2});
  io::expect_error<FormatError>([&] { pixels_of(*some, 1); }, "--skip-broken leaves it out");
  EXPECT_EQ(open_dataset(folder.path(), {.image_size = 2, .skip_broken = true})->info().size, 1);
}

TEST_F(ImageFolders, OnlyBrokenImagesAreAnError) {
  io::write_file(folder / "a.png", std::string_view("text"));
  io::expect_error<FormatError>([&] { open_dataset(folder.path(), {.skip_broken = true}); },
                                "received 1 broken image: a.png");
}

TEST_F(ImageFolders, ALongListOfBrokenImagesIsCut) {
  for (int i = 100; i < 200; ++i)
    io::write_file(folder / (std::to_string(i) + ".png"), std::string_view("text"));
  io::expect_error<FormatError>([&] { open_dataset(folder.path()); },
                                "100 broken images: 100.png, 101.png, 102.png, 103.png, 104.png, "
                                "105.png, 106.png, 107.png, 108.png, 109.png, ...; the first");
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

TEST_F(ImageFolders, OneColouredImageMakesAllOfThemRgb) {
  for (int i = 100; i < 200; ++i) add(std::to_string(i) + ".png", 0, 2, 2, 1);
  add("111.png");
  EXPECT_EQ(open_dataset(folder.path())->info().channels, 3);
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

TEST_F(ImageFolders, FingerprintDependsOnThePixels) {
  add("a.png", 1);
  add("b.png", 1, 80, 80);  // larger than the ends of a file that are read
  const DatasetOptions options{.image_size = 2};
  const std::string before = open_dataset(folder.path(), options)->fingerprint();
  EXPECT_EQ(open_dataset(folder.path(), {.image_size = 2, .skip_broken = true})->fingerprint(),
            before);
  add("a.png", 2);
  const std::string other = open_dataset(folder.path(), options)->fingerprint();
  EXPECT_NE(other, before);
  io::Image image = counting_image(80, 80, 3, 1);
  ++image.pixels[80 * 80];
  write_image(folder / "b.png", image);
  EXPECT_NE(open_dataset(folder.path(), options)->fingerprint(), other);
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
