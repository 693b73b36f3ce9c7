#include "halfstep/data/idx.h"

#include <gtest/gtest.h>

#include "halfstep/data/open_dataset.h"
#include "tests/data/data_files.h"
#include "tests/io/hostile.h"
#include "tests/io/temporary_folder.h"

namespace halfstep::data {
namespace {

constexpr DatasetOptions kTest{.split = DatasetOptions::Split::test};

// Three training images and two test images of 2 x 4 pixels.
class Idx : public testing::Test {
 protected:
  Idx() {
    io::write_file(folder / "train-images-idx3-ubyte", idx_file({3, 2, 4}, counting_bytes(24)));
    io::write_file(folder / "train-labels-idx1-ubyte", idx_file({3}, {2, 0, 1}));
    io::write_file(folder / "t10k-images-idx3-ubyte.gz",
                   gzip_file(idx_file({2, 2, 4}, counting_bytes(16, 100))));
    io::write_file(folder / "t10k-labels-idx1-ubyte.gz", gzip_file(idx_file({2}, {1, 2})));
  }

  io::TemporaryFolder folder;
};

TEST_F(Idx, FolderGivesTheTrainingImages) {
  const auto dataset = open_dataset(folder.path());
  const DatasetInfo& info = dataset->info();
  EXPECT_EQ(info.format, "idx");
  EXPECT_EQ(info.name, folder.path().filename());
  EXPECT_EQ(info.size, 3);
  EXPECT_EQ(info.channels, 1);
  EXPECT_EQ(info.height, 2);
  EXPECT_EQ(info.width, 4);
  EXPECT_EQ(info.num_classes, 3);
  EXPECT_EQ(labels_of(*dataset), (std::vector<int32_t>{2, 0, 1}));
  EXPECT_EQ(pixels_of(*dataset, 1), counting_bytes(8, 8));
}

TEST_F(Idx, TestSplitMayBeGzipped) {
  const auto dataset = open_dataset(folder.path(), kTest);
  EXPECT_EQ(dataset->info().size, 2);
  EXPECT_EQ(labels_of(*dataset), (std::vector<int32_t>{1, 2}));
  EXPECT_EQ(pixels_of(*dataset, 1), counting_bytes(8, 108));
}

TEST_F(Idx, PathOfTheImagesFileIsAccepted) {
  EXPECT_EQ(open_dataset(folder / "train-images-idx3-ubyte")->info().size, 3);
  EXPECT_EQ(open_dataset(folder / "t10k-images-idx3-ubyte.gz")->info().size, 2);
  EXPECT_EQ(open_dataset(folder / "t10k-images-idx3-ubyte.gz", kTest)->info().size, 2);
  io::expect_error<ConfigError>([&] { open_dataset(folder / "train-images-idx3-ubyte", kTest); },
                                "give the folder");
}

TEST_F(Idx, PlainAndGzipHaveTheSameFingerprint) {
  const std::string plain = open_dataset(folder.path())->fingerprint();
  const std::string images = io::read_file(folder / "train-images-idx3-ubyte");
  std::filesystem::remove(folder / "train-images-idx3-ubyte");
  io::write_file(folder / "train-images-idx3-ubyte.gz", gzip_file(images));
  EXPECT_EQ(open_dataset(folder.path())->fingerprint(), plain);
  EXPECT_NE(open_dataset(folder.path(), kTest)->fingerprint(), plain);
}

TEST_F(Idx, PlainAndGzipInOneFolderAreOneDataSet) {
  io::write_file(folder / "train-images-idx3-ubyte.gz",
                 gzip_file(idx_file({3, 2, 4}, counting_bytes(24))));
  EXPECT_EQ(open_dataset(folder.path())->info().size, 3);
}

TEST_F(Idx, FingerprintDependsOnEachLabelAndPixel) {
  const std::string before = open_dataset(folder.path())->fingerprint();
  io::write_file(folder / "train-labels-idx1-ubyte", idx_file({3}, {2, 1, 1}));
  const std::string other_label = open_dataset(folder.path())->fingerprint();
  EXPECT_NE(other_label, before);
  io::write_file(folder / "train-images-idx3-ubyte", idx_file({3, 2, 4}, counting_bytes(24, 1)));
  EXPECT_NE(open_dataset(folder.path())->fingerprint(), other_label);
}

TEST_F(Idx, ImageSizeCropsAndResizes) {
  const auto dataset = open_dataset(folder.path(), {.image_size = 1});
  EXPECT_EQ(dataset->info().height, 1);
  EXPECT_EQ(dataset->info().width, 1);
  // The middle square of 0 1 2 3 / 4 5 6 7 is 1 2 / 5 6: mean 3.5.
  EXPECT_EQ(pixels_of(*dataset, 0), std::vector<uint8_t>{4});
  EXPECT_NE(dataset->fingerprint(), open_dataset(folder.path())->fingerprint());
}

TEST_F(Idx, WithoutALabelsFileThereAreNoLabels) {
  std::filesystem::remove(folder / "train-labels-idx1-ubyte");
  const auto dataset = open_dataset(folder.path());
  EXPECT_EQ(dataset->info().num_classes, 0);
  EXPECT_EQ(labels_of(*dataset), (std::vector<int32_t>{-1, -1, -1}));
}

TEST_F(Idx, NumberOfLabelsMustMatch) {
  io::write_file(folder / "train-labels-idx1-ubyte", idx_file({2}, {2, 0}));
  io::expect_error<FormatError>([&] { open_dataset(folder.path()); },
                                "expected 3 labels, received 2");
}

TEST_F(Idx, SwappedFilesAreRejected) {
  io::write_file(folder / "train-images-idx3-ubyte", idx_file({3}, {2, 0, 1}));
  io::expect_error<FormatError>([&] { open_dataset(folder.path()); },
                                "expected 3 dimensions, received 1");
}

TEST_F(Idx, EmptyFilesAreRejected) {
  io::write_file(folder / "train-images-idx3-ubyte", idx_file({0, 2, 4}, {}));
  io::write_file(folder / "train-labels-idx1-ubyte", idx_file({0}, {}));
  io::expect_error<FormatError>([&] { open_dataset(folder.path()); }, "at least one image");
}

TEST_F(Idx, MissingTestSplitIsNamed) {
  std::filesystem::remove(folder / "t10k-images-idx3-ubyte.gz");
  io::expect_error<ConfigError>([&] { open_dataset(folder.path(), kTest); },
                                "one images file of the test split, received "
                                "train-images-idx3-ubyte");
}

TEST_F(Idx, SeveralTrainingFilesAreAmbiguous) {
  io::write_file(folder / "letters-train-images-idx3-ubyte",
                 idx_file({1, 2, 4}, counting_bytes(8)));
  io::expect_error<ConfigError>([&] { open_dataset(folder.path()); }, "give the path of one");
  EXPECT_EQ(open_dataset(folder / "letters-train-images-idx3-ubyte")->info().size, 1);
}

TEST_F(Idx, ReadChecksItsArguments) {
  const auto dataset = open_dataset(folder.path());
  std::vector<uint8_t> image(8), small(7);
  EXPECT_THROW(dataset->read(-1, image), ConfigError);
  EXPECT_THROW(dataset->read(3, image), ConfigError);
  EXPECT_THROW(dataset->read(0, small), ConfigError);
}

TEST(ParseIdx, ReadsSizesAndValues) {
  const IdxArray array = parse_idx(idx_file({2, 3}, counting_bytes(6)), "file");
  EXPECT_EQ(array.shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(array.values, counting_bytes(6));
}

TEST(ParseIdx, RejectsOtherMagicBytes) {
  std::string file = idx_file({1}, {5});
  file[0] = 1;
  io::expect_error<FormatError>([&] { parse_idx(file, "file"); }, "file: expected an IDX file");
  file = idx_file({1}, {5});
  file[2] = 13;  // float
  io::expect_error<FormatError>([&] { parse_idx(file, "file"); }, "received type 13");
  file = idx_file({}, {});
  io::expect_error<FormatError>([&] { parse_idx(file, "file"); }, "a complete header");
}

TEST(ParseIdx, RejectsEveryTruncationAndTrailingBytes) {
  const std::string whole = idx_file({2, 3}, counting_bytes(6));
  io::expect_no_prefix_is_read(io::bytes_of(whole), [](const auto& bytes) {
    parse_idx({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, "file");
  });
  io::expect_error<FormatError>([&] { parse_idx(whole + "x", "file"); },
                                "expected 6 bytes, received 7");
}

TEST(ParseIdx, RejectsSizesThatOverflow) {
  const std::string file = idx_file({0xffffffff, 0xffffffff, 0xffffffff}, counting_bytes(4));
  io::expect_error<FormatError>([&] { parse_idx(file, "file"); }, "as many bytes");
}

// Zeros of 100 MB, packed into 100 KB, behind a header of four images: the header is judged first.
TEST_F(Idx, AGzipBombIsNotUnpacked) {
  const io::TemporaryFolder folder;
  std::string file = idx_file({4, 2, 2}, {});
  file.resize(100'000'000);
  io::write_file(folder / "train-images-idx3-ubyte", std::string_view(gzip_file(file)));
  io::expect_error<FormatError>([&] { open_dataset(folder.path()); },
                                "expected at most 32 bytes unpacked, received more");
  io::write_file(folder / "train-images-idx3-ubyte",
                 std::string_view(gzip_file(idx_file({1'000'000, 28, 28}, {}))));
  io::expect_error<FormatError>([&] { open_dataset(folder.path()); },
                                "as its sizes say, 784000016, received");
}

TEST(FashionMnist, DebianPackageIsRead) {
  const std::filesystem::path path = "/usr/share/datasets/fashion-mnist";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "dataset-fashion-mnist is not installed";
  const auto train = open_dataset(path), test = open_dataset(path, kTest);
  EXPECT_EQ(train->info().name, "fashion-mnist");
  EXPECT_EQ(train->info().size, 60'000);
  EXPECT_EQ(test->info().size, 10'000);
  EXPECT_EQ(train->info().height, 28);
  EXPECT_EQ(train->info().num_classes, 10);
  EXPECT_EQ(train->info().class_names.at(9), "Ankle boot");
  std::vector<int> counts(10);
  for (const int32_t label : labels_of(*train)) counts.at(static_cast<size_t>(label))++;
  EXPECT_EQ(counts, std::vector<int>(10, 6000));
}

}  // namespace
}  // namespace halfstep::data
