#include "halfstep/data/npy_dataset.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "halfstep/data/open_dataset.h"
#include "halfstep/io/npy.h"
#include "tests/data/data_files.h"
#include "tests/io/hostile.h"
#include "tests/io/temporary_folder.h"

namespace halfstep::data {
namespace {

class NpyDataset : public testing::Test {
 protected:
  template <class T>
  void write(const std::string& name, std::vector<int64_t> shape, const std::vector<T>& values) {
    io::write_npy(folder / name, io::make_array<T>(std::move(shape), std::span(values)).view());
  }
  void write_images() { write<uint8_t>("set.npy", {2, 1, 2, 3}, counting_bytes(12)); }

  io::TemporaryFolder folder;
};

TEST_F(NpyDataset, ChannelsBecomePlanes) {
  write_images();
  const auto dataset = open_dataset(folder / "set.npy");
  EXPECT_EQ(dataset->info().format, "npy");
  EXPECT_EQ(dataset->info().name, "set");
  EXPECT_EQ(dataset->info().size, 2);
  EXPECT_EQ(dataset->info().channels, 3);
  EXPECT_EQ(dataset->info().height, 1);
  EXPECT_EQ(dataset->info().width, 2);
  EXPECT_EQ(dataset->info().num_classes, 0);
  int32_t label = 0;
  EXPECT_EQ(pixels_of(*dataset, 1, &label), (std::vector<uint8_t>{6, 9, 7, 10, 8, 11}));
  EXPECT_EQ(label, -1);
}

TEST_F(NpyDataset, LabelsFileIsRead) {
  write_images();
  write<int64_t>("set.labels.npy", {2}, {4, 1});
  const auto dataset = open_dataset(folder / "set.npy");
  EXPECT_EQ(dataset->info().num_classes, 5);
  EXPECT_EQ(labels_of(*dataset), (std::vector<int32_t>{4, 1}));
}

TEST_F(NpyDataset, LabelsMayHaveAnyIntegerType) {
  write_images();
  const std::vector<int32_t> expected = {4, 1};
  write<int32_t>("set.labels.npy", {2}, {4, 1});
  EXPECT_EQ(labels_of(*open_dataset(folder / "set.npy")), expected);
  write<int16_t>("set.labels.npy", {2}, {4, 1});
  EXPECT_EQ(labels_of(*open_dataset(folder / "set.npy")), expected);
  write<int8_t>("set.labels.npy", {2}, {4, 1});
  EXPECT_EQ(labels_of(*open_dataset(folder / "set.npy")), expected);
  write<uint8_t>("set.labels.npy", {2}, {4, 1});
  EXPECT_EQ(labels_of(*open_dataset(folder / "set.npy")), expected);
  write<float>("set.labels.npy", {2}, {4, 1});
  io::expect_error<FormatError>([&] { open_dataset(folder / "set.npy"); }, "expected integers");
}

TEST_F(NpyDataset, LabelsOutOfRangeAreRejected) {
  write_images();
  write<int64_t>("set.labels.npy", {2}, {0, -1});
  io::expect_error<FormatError>([&] { open_dataset(folder / "set.npy"); }, "received -1");
  write<int64_t>("set.labels.npy", {2}, {0, int64_t{1} << 32});
  io::expect_error<FormatError>([&] { open_dataset(folder / "set.npy"); }, "received 4294967296");
}

TEST_F(NpyDataset, NumberOfLabelsMustMatch) {
  write_images();
  write<int64_t>("set.labels.npy", {3}, {0, 1, 2});
  io::expect_error<FormatError>([&] { open_dataset(folder / "set.npy"); },
                                "expected labels [2], received i64 [3]");
  write<int64_t>("set.labels.npy", {2, 1}, {0, 1});
  io::expect_error<FormatError>([&] { open_dataset(folder / "set.npy"); }, "received i64 [2, 1]");
}

TEST_F(NpyDataset, OtherShapesAndTypesAreRejected) {
  write<uint8_t>("set.npy", {2, 3, 1, 2}, counting_bytes(12));  // channels first
  io::expect_error<FormatError>([&] { open_dataset(folder / "set.npy"); },
                                "expected u8 [N, H, W, 1 or 3] or f32 [N, C, ...] in C order, "
                                "received u8 [2, 3, 1, 2]");
  write<uint8_t>("set.npy", {12}, counting_bytes(12));
  EXPECT_THROW(open_dataset(folder / "set.npy"), FormatError);
  write<float>("set.npy", {2}, {0.0f, 1.0f});
  io::expect_error<FormatError>([&] { open_dataset(folder / "set.npy"); }, "received f32 [2]");
  write<double>("set.npy", {2, 1}, {0.0, 1.0});
  io::expect_error<FormatError>([&] { open_dataset(folder / "set.npy"); }, "received f64 [2, 1]");
  write<uint8_t>("set.npy", {0, 1, 2, 1}, {});
  io::expect_error<FormatError>([&] { open_dataset(folder / "set.npy"); }, "at least one image");
  write<uint8_t>("set.npy", {1, 0, 2, 1}, {});
  EXPECT_THROW(open_dataset(folder / "set.npy"), FormatError);
}

TEST_F(NpyDataset, Float32DataAreUnchanged) {
  const std::vector<float> numbers = {0.5f, -3.0f, 1e-30f, 7.0f, 0.0f, -0.0f};
  write<float>("set.npy", {2, 3, 1}, numbers);
  write<int64_t>("set.labels.npy", {2}, {4, 1});
  const auto dataset = open_dataset(folder / "set.npy");
  const DatasetInfo& info = dataset->info();
  EXPECT_EQ(info.format, "npy-float32");
  EXPECT_EQ(info.size, 2);
  EXPECT_FALSE(info.holds_images());
  EXPECT_EQ(info.shape(), (std::vector<int64_t>{3, 1}));
  EXPECT_EQ(info.example_bytes(), 12);
  EXPECT_EQ(labels_of(*dataset), (std::vector<int32_t>{4, 1}));
  const std::vector<uint8_t> bytes = pixels_of(*dataset, 1);
  std::vector<float> second(3);
  std::memcpy(second.data(), bytes.data(), bytes.size());
  EXPECT_EQ(second, (std::vector<float>{7.0f, 0.0f, -0.0f}));
}

TEST_F(NpyDataset, Float32FingerprintDependsOnShapeAndValues) {
  const auto fingerprint_of = [&](std::vector<int64_t> shape, const std::vector<float>& numbers) {
    write<float>("set.npy", std::move(shape), numbers);
    return open_dataset(folder / "set.npy")->fingerprint();
  };
  const std::string flat = fingerprint_of({2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(fingerprint_of({2, 2}, {1, 2, 3, 4}), flat);
  EXPECT_NE(fingerprint_of({2, 2, 1}, {1, 2, 3, 4}), flat);
  EXPECT_NE(fingerprint_of({2, 2}, {1, 2, 3, 5}), flat);
}

TEST_F(NpyDataset, Float32DataMustBeFinite) {
  write<float>("set.npy", {2, 1}, {0.0f, std::numeric_limits<float>::quiet_NaN()});
  const auto dataset = open_dataset(folder / "set.npy");
  EXPECT_NO_THROW(pixels_of(*dataset, 0));
  io::expect_error<FormatError>([&] { pixels_of(*dataset, 1); }, "finite");
}

TEST_F(NpyDataset, Float32DataHaveNoImageSize) {
  write<float>("set.npy", {1, 3, 4, 4}, std::vector<float>(48));
  io::expect_error<ConfigError>([&] { open_dataset(folder / "set.npy", {.image_size = 2}); },
                                "image_size");
}

TEST_F(NpyDataset, TruncatedFileIsRejected) {
  write_images();
  const std::string whole = io::read_file(folder / "set.npy");
  io::write_file(folder / "set.npy", std::string_view(whole).substr(0, whole.size() - 1));
  EXPECT_THROW(open_dataset(folder / "set.npy"), FormatError);
}

TEST_F(NpyDataset, ThereIsNoTestSplit) {
  write_images();
  io::expect_error<ConfigError>(
      [&] { open_dataset(folder / "set.npy", {.split = DatasetOptions::Split::test}); },
      "test split");
}

TEST_F(NpyDataset, ImageSizeResizesEveryChannel) {
  write<uint8_t>("set.npy", {1, 2, 2, 3}, {0, 100, 200, 4, 104, 204, 8, 108, 208, 12, 112, 212});
  const auto dataset = open_dataset(folder / "set.npy", {.image_size = 1});
  EXPECT_EQ(pixels_of(*dataset, 0), (std::vector<uint8_t>{6, 106, 206}));
}

TEST_F(NpyDataset, FingerprintDependsOnLabelsAndShape) {
  write_images();
  const std::string without = open_dataset(folder / "set.npy")->fingerprint();
  write<int64_t>("set.labels.npy", {2}, {0, 1});
  const std::string with = open_dataset(folder / "set.npy")->fingerprint();
  write<int64_t>("set.labels.npy", {2}, {1, 0});
  const std::string swapped = open_dataset(folder / "set.npy")->fingerprint();
  EXPECT_NE(without, with);
  EXPECT_NE(with, swapped);
  EXPECT_EQ(swapped, open_dataset(folder / "set.npy")->fingerprint());
  write<uint8_t>("set.npy", {2, 2, 1, 3}, counting_bytes(12));
  EXPECT_NE(swapped, open_dataset(folder / "set.npy")->fingerprint());
}

}  // namespace
}  // namespace halfstep::data
