#include "halfstep/data/lmdb.h"

#include <gtest/gtest.h>

#include "halfstep/data/open_dataset.h"
#include "tests/data/data_files.h"
#include "tests/io/hostile.h"
#include "tests/io/lmdb_files.h"
#include "tests/io/temporary_folder.h"

namespace halfstep::data {
namespace {

class Lmdb : public testing::Test {
 protected:
  void write(const Files& files) { io::write_lmdb(path, files); }

  io::TemporaryFolder folder;
  std::filesystem::path path = folder / "bedroom_train_lmdb";
};

TEST_F(Lmdb, ImagesAreInTheOrderOfTheirKeys) {
  write({{"c", png_file(counting_image(2, 2, 3, 30))},
         {"a", png_file(counting_image(2, 2, 3, 10))},
         {"b", png_file(counting_image(2, 2, 3, 20))}});
  const auto dataset = open_dataset(path);
  EXPECT_EQ(dataset->info().format, "lmdb");
  EXPECT_EQ(dataset->info().name, "bedroom_train_lmdb");
  EXPECT_EQ(dataset->info().size, 3);
  EXPECT_EQ(dataset->info().num_classes, 0);
  EXPECT_EQ(labels_of(*dataset), (std::vector<int32_t>{-1, -1, -1}));
  for (int64_t i = 0; i < 3; ++i) EXPECT_EQ(pixels_of(*dataset, i)[0], 10 * (i + 1));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path), {}), 1) << "no lock file";
}

TEST_F(Lmdb, ImagesOfSeveralSizesAndFormatsAreCroppedAndResized) {
  const auto file = [](const char* name) { return io::read_file(io::data_file(name)); };
  write({{"a", file("lossy.webp")},
         {"b", file("rgb.jpg")},
         {"c", png_file(counting_image(300, 256, 3))}});
  io::expect_error<ConfigError>([&] { open_dataset(path); }, "set --image-size");
  const auto dataset = open_dataset(path, {.image_size = 4});
  EXPECT_EQ(dataset->info().height, 4);
  EXPECT_EQ(pixels_of(*dataset, 2).size(), 48u);
}

TEST_F(Lmdb, PathOfTheFileIsAccepted) {
  write({{"a", png_file(counting_image(2, 2, 3))}});
  EXPECT_EQ(open_dataset(path / "data.mdb")->fingerprint(), open_dataset(path)->fingerprint());
}

TEST_F(Lmdb, FingerprintDependsOnKeysAndPixels) {
  const std::string image = png_file(counting_image(2, 2, 3));
  write({{"a", image}});
  const std::string before = open_dataset(path)->fingerprint();
  write({{"b", image}});
  const std::string two = open_dataset(path)->fingerprint();
  EXPECT_NE(two, before);
  write({{"b", png_file(counting_image(2, 2, 3, 1))}});
  EXPECT_NE(open_dataset(path)->fingerprint(), two);
}

TEST_F(Lmdb, TruncatedFileIsRejected) {
  write({{"a", png_file(counting_image(2, 2, 3))}, {"b", std::string(100'000, 'x')}});
  const auto whole = std::filesystem::file_size(path / "data.mdb");
  for (const uint64_t size : {whole - 4096, whole / 2, uint64_t{8192}, uint64_t{5000}}) {
    std::filesystem::resize_file(path / "data.mdb", size);
    io::expect_error<FormatError>([&] { open_dataset(path); }, "data.mdb");
  }
}

TEST_F(Lmdb, OtherFilesAreRejected) {
  std::filesystem::create_directories(path);
  io::write_file(path / "data.mdb", std::string_view("text"));
  io::expect_error<FormatError>([&] { open_dataset(path); }, "a valid LMDB environment");
  io::write_file(path / "data.mdb", std::string(10'000, '\0'));
  io::expect_error<FormatError>([&] { open_dataset(path); }, "a valid LMDB environment");
}

TEST_F(Lmdb, ValuesThatAreNoImagesArePassedOver) {
  write({{"8-00000", png_file(counting_image(2, 2, 3, 10))},
         {"8-00001", png_file(counting_image(2, 2, 3, 20))},
         {"info", ""},
         {"length", "2"}});
  const auto dataset = open_dataset(path);
  EXPECT_EQ(dataset->info().size, 2);
  EXPECT_EQ(dataset->info().passed_over.not_images, 2);
  EXPECT_EQ(pixels_of(*dataset, 1)[0], 20);
}

TEST_F(Lmdb, EnvironmentWithoutImagesIsRejected) {
  write({});
  io::expect_error<ConfigError>([&] { open_dataset(path); }, "expected images");
  write({{"length", "3"}});
  io::expect_error<ConfigError>([&] { open_dataset(path); }, "expected images");
}

TEST_F(Lmdb, ThereIsNoTestSplit) {
  write({{"a", png_file(counting_image(2, 2, 3))}});
  io::expect_error<ConfigError>([&] { open_dataset(path, {.split = DatasetOptions::Split::test}); },
                                "test split");
}

}  // namespace
}  // namespace halfstep::data
