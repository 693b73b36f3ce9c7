#include "halfstep/data/cifar10.h"

#include <gtest/gtest.h>

#include "halfstep/data/open_dataset.h"
#include "tests/data/data_files.h"
#include "tests/io/hostile.h"
#include "tests/io/temporary_folder.h"

namespace halfstep::data {
namespace {

constexpr DatasetOptions kTest{.split = DatasetOptions::Split::test};

void write_batches(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  for (const auto& [name, contents] : cifar_files()) io::write_file(folder / name, contents);
}

std::string archive() {
  std::string tar = tar_member("cifar-10-batches-bin/", "", '5');
  for (const auto& [name, contents] : cifar_files()) {
    tar += tar_member("cifar-10-batches-bin/" + name, contents);
  }
  return tar + tar_member("cifar-10-batches-bin/readme.html", "hello") + tar_end();
}

void expect_training_images(const Dataset& dataset) {
  EXPECT_EQ(dataset.info().name, "cifar10");
  EXPECT_EQ(dataset.info().size, 10);
  EXPECT_EQ(dataset.info().channels, 3);
  EXPECT_EQ(dataset.info().height, 32);
  EXPECT_EQ(dataset.info().width, 32);
  EXPECT_EQ(labels_of(dataset), (std::vector<int32_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(pixels_of(dataset, 7), std::vector<uint8_t>(3072, 70));
}

TEST(Cifar10, FolderOfBatchesIsRead) {
  const io::TemporaryFolder folder;
  write_batches(folder.path());
  const auto dataset = open_dataset(folder.path());
  expect_training_images(*dataset);
  EXPECT_EQ(dataset->info().class_names.at(9), "truck");
}

TEST(Cifar10, FolderIsFoundInItsParent) {
  const io::TemporaryFolder folder;
  write_batches(folder / "cifar-10-batches-bin");
  expect_training_images(*open_dataset(folder.path()));
}

TEST(Cifar10, TestSplitIsTheTestFile) {
  const io::TemporaryFolder folder;
  write_batches(folder.path());
  const auto dataset = open_dataset(folder.path(), kTest);
  EXPECT_EQ(labels_of(*dataset), (std::vector<int32_t>{9, 8}));
  EXPECT_EQ(pixels_of(*dataset, 1), std::vector<uint8_t>(3072, 201));
}

TEST(Cifar10, ArchiveIsTheSameDataSet) {
  const io::TemporaryFolder folder;
  write_batches(folder / "bin");
  io::write_file(folder / "cifar-10-binary.tar.gz", gzip_file(archive()));
  io::write_file(folder / "plain.tar", archive());
  const auto packed = open_dataset(folder / "cifar-10-binary.tar.gz");
  expect_training_images(*packed);
  EXPECT_EQ(packed->fingerprint(), open_dataset(folder / "bin")->fingerprint());
  EXPECT_EQ(packed->fingerprint(), open_dataset(folder / "plain.tar")->fingerprint());
  EXPECT_EQ(open_dataset(folder / "cifar-10-binary.tar.gz", kTest)->info().size, 2);
  expect_training_images(*open_dataset(folder.path()));  // found in its folder
}

TEST(Cifar10, PlanesKeepTheirOrder) {
  const io::TemporaryFolder folder;
  write_batches(folder.path());
  std::string batch(1, '\3');
  for (const char value : {'r', 'g', 'b'}) batch += std::string(1024, value);
  io::write_file(folder / "test_batch.bin", batch);
  const std::vector<uint8_t> pixels = pixels_of(*open_dataset(folder.path(), kTest), 0);
  EXPECT_EQ(pixels[0], 'r');
  EXPECT_EQ(pixels[1023], 'r');
  EXPECT_EQ(pixels[1024], 'g');
  EXPECT_EQ(pixels[3071], 'b');
}

TEST(Cifar10, ImageSizeResizesEveryPlane) {
  const io::TemporaryFolder folder;
  write_batches(folder.path());
  const auto dataset = open_dataset(folder.path(), {.image_size = 8});
  EXPECT_EQ(dataset->info().height, 8);
  EXPECT_EQ(pixels_of(*dataset, 3), std::vector<uint8_t>(3 * 8 * 8, 30));
}

TEST(Cifar10, MissingBatchIsNamed) {
  const io::TemporaryFolder folder;
  write_batches(folder.path());
  std::filesystem::remove(folder / "data_batch_3.bin");
  io::expect_error<FormatError>([&] { open_dataset(folder.path()); }, "data_batch_3.bin");
  EXPECT_EQ(open_dataset(folder.path(), kTest)->info().size, 2);
}

TEST(Cifar10, MissingSplitIsAConfigError) {
  const io::TemporaryFolder folder;
  write_batches(folder.path());
  std::filesystem::remove(folder / "test_batch.bin");
  io::expect_error<ConfigError>([&] { open_dataset(folder.path(), kTest); },
                                "expected test_batch.bin");
}

TEST(Cifar10, ArchiveOfSomethingElseIsAConfigError) {
  const io::TemporaryFolder folder;
  io::write_file(folder / "x.tar.gz", gzip_file(tar_member("a.txt", "hello") + tar_end()));
  io::expect_error<ConfigError>([&] { open_dataset(folder / "x.tar.gz"); },
                                "CIFAR-10's binary version");
}

TEST(Cifar10, TruncatedArchiveIsRejected) {
  const io::TemporaryFolder folder;
  const std::string packed = gzip_file(archive());
  io::write_file(folder / "x.tar.gz", packed.substr(0, packed.size() / 2));
  io::expect_error<FormatError>([&] { open_dataset(folder / "x.tar.gz"); }, "a truncated file");
  io::write_file(folder / "x.tar.gz", gzip_file(archive().substr(0, 5000)));
  io::expect_error<FormatError>([&] { open_dataset(folder / "x.tar.gz"); }, "within the file");
}

TEST(Cifar10, IncompleteRecordIsRejected) {
  const io::TemporaryFolder folder;
  write_batches(folder.path());
  io::write_file(folder / "data_batch_2.bin", std::string(3072, 'x'));
  io::expect_error<FormatError>([&] { open_dataset(folder.path()); },
                                "records of 3073 bytes, received 3072");
  io::write_file(folder / "data_batch_2.bin", std::string());
  io::expect_error<FormatError>([&] { open_dataset(folder.path()); }, "received 0 bytes");
}

TEST(Cifar10, LabelAboveNineIsRejected) {
  const io::TemporaryFolder folder;
  write_batches(folder.path());
  io::write_file(folder / "test_batch.bin", cifar_batch({0, 9, 10}));
  io::expect_error<FormatError>([&] { open_dataset(folder.path(), kTest); },
                                "labels from 0 to 9, received 10 for image 2");
}

}  // namespace
}  // namespace halfstep::data
