#include "halfstep/data/imagenet_npz.h"

#include <gtest/gtest.h>

#include "halfstep/data/open_dataset.h"
#include "halfstep/io/npy.h"
#include "tests/data/data_files.h"
#include "tests/io/hostile.h"
#include "tests/io/temporary_folder.h"

namespace halfstep::data {
namespace {

template <class T>
std::string npy_file(std::vector<int64_t> shape, const std::vector<T>& values) {
  const io::Array array = io::make_array<T>(std::move(shape), std::span(values));
  return io::npy_header(array.view()) +
         std::string(reinterpret_cast<const char*>(array.bytes.data()), array.bytes.size());
}

// Images of 2 x 2 pixels: the values of image i are first + 12 i, first + 12 i + 1, ...
Files batch(const std::vector<int64_t>& labels, int first, int64_t row = 12) {
  const auto size = static_cast<int64_t>(labels.size());
  return {{"data.npy",
           npy_file<uint8_t>({size, row}, counting_bytes(static_cast<size_t>(size * row), first))},
          {"labels.npy", npy_file<int64_t>({size}, labels)},
          {"mean.npy", npy_file<double>({row}, std::vector<double>(static_cast<size_t>(row)))}};
}

class ImagenetNpz : public testing::TestWithParam<bool> {
 protected:
  void write(const std::string& name, const Files& files) {
    write_zip(folder / name, files, GetParam());
  }

  io::TemporaryFolder folder;
};

INSTANTIATE_TEST_SUITE_P(Both, ImagenetNpz, testing::Bool(), [](const auto& info) {
  return std::string(info.param ? "Compressed" : "Stored");
});

TEST_P(ImagenetNpz, BatchesAreConcatenated) {
  write("train_data_batch_1.npz", batch({1, 3}, 0));
  write("train_data_batch_2.npz", batch({2}, 100));
  write("val_data.npz", batch({1000}, 200));
  const auto dataset = open_dataset(folder.path());
  EXPECT_EQ(dataset->info().format, "imagenet-npz");
  EXPECT_EQ(dataset->info().size, 3);
  EXPECT_EQ(dataset->info().channels, 3);
  EXPECT_EQ(dataset->info().height, 2);
  EXPECT_EQ(dataset->info().width, 2);
  EXPECT_EQ(dataset->info().num_classes, 3);
  EXPECT_EQ(labels_of(*dataset), (std::vector<int32_t>{0, 2, 1}))
      << "the labels in the file start from 1";
  EXPECT_EQ(pixels_of(*dataset, 1), counting_bytes(12, 12));
  EXPECT_EQ(pixels_of(*dataset, 2), counting_bytes(12, 100));
  const auto test = open_dataset(folder.path(), {.split = DatasetOptions::Split::test});
  EXPECT_EQ(pixels_of(*test, 0), counting_bytes(12, 200));
  EXPECT_EQ(test->info().num_classes, 1000);
}

TEST_P(ImagenetNpz, ImageSizeResizes) {
  write("train_data_batch_1.npz", batch({1}, 0));
  const auto dataset = open_dataset(folder.path(), {.image_size = 1});
  EXPECT_EQ(pixels_of(*dataset, 0), (std::vector<uint8_t>{2, 6, 10}));  // 1.5, 5.5, 9.5
}

TEST_P(ImagenetNpz, MissingBatchIsAnError) {
  write("train_data_batch_1.npz", batch({1}, 0));
  write("train_data_batch_3.npz", batch({1}, 0));
  io::expect_error<FormatError>([&] { open_dataset(folder.path()); }, "train_data_batch_2.npz");
  io::expect_error<ConfigError>(
      [&] { open_dataset(folder.path(), {.split = DatasetOptions::Split::test}); }, "val_data.npz");
}

TEST_P(ImagenetNpz, OtherArraysAreRejected) {
  const auto refused = [&](const Files& files, std::string_view part) {
    write("train_data_batch_1.npz", files);
    io::expect_error<FormatError>([&] { open_dataset(folder.path()); }, part);
  };
  refused(batch({1}, 0, 13), "expected u8 [N, 3 S S]");
  refused({{"data.npy", "text"}, batch({1}, 0)[1]}, "batch_1.npz data");
  refused({batch({1}, 0)[0]}, "expected arrays data and labels");
  refused({batch({1}, 0)[0], batch({1, 2}, 0)[1]}, "expected labels [1]");
  refused(batch({0}, 0), "expected labels from 1");
  refused({{"data.npy", npy_file<float>({1, 3}, {0, 0, 0})}, batch({1}, 0)[1]}, "received f32");
}

TEST_P(ImagenetNpz, BatchesMustHaveTheSameImageSize) {
  write("train_data_batch_1.npz", batch({1}, 0));
  write("train_data_batch_2.npz", batch({1}, 0, 27));
  io::expect_error<FormatError>([&] { open_dataset(folder.path()); }, "S as in the first batch");
}

}  // namespace
}  // namespace halfstep::data
