#include "halfstep/metrics/image_source.h"

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include "halfstep/core/error.h"
#include "halfstep/io/npy.h"
#include "halfstep/metrics/evaluate.h"
#include "halfstep/model/generate.h"
#include "halfstep/model/tensor_io.h"
#include "tests/io/temporary_folder.h"
#include "tests/metrics/row_means.h"
#include "tests/model/small_models.h"
#include "tests/support/expect_throws.h"

namespace halfstep::metrics {
namespace {

class ImageFiles : public testing::Test {
 protected:
  // Writes a .npy data set or the only array of an .npz file.
  void write(const std::filesystem::path& path, const Tensor& values,
             const std::string& name = "arr_0") const {
    const io::Array array = to_array(values);
    if (path.extension() == ".npy") {
      io::write_npy(path, array.view());
    } else {
      io::write_npz(path, {{name, array.view()}});
    }
  }

  io::TemporaryFolder folder;
  Tensor images = test::random_images(9, 1);  // [9, 1, 4, 4]
  Tensor channels_last = images.permute({0, 2, 3, 1}).contiguous();
};

TEST_F(ImageFiles, AnNpzAndADataSetGiveTheSameImages) {
  write(folder / "images.npz", channels_last);
  write(folder / "images.npy", channels_last);
  for (const char* name : {"images.npz", "images.npy"}) {
    const ImageSource source = open_images(folder / name);
    EXPECT_EQ(source.count, 9);
    EXPECT_EQ(source.shape, (std::vector<int64_t>{1, 4, 4}));
    EXPECT_TRUE(at::equal(source.read(2, 5), images.narrow(0, 2, 5))) << name;
  }
}

TEST_F(ImageFiles, AnNpzWithoutImagesIsRefused) {
  write(folder / "other.npz", channels_last, "images");
  test::expect_throws<FormatError>({"other.npz", "arr_0"},
                                   [&] { open_images(folder / "other.npz"); });
  write(folder / "float.npz", channels_last.to(at::kFloat));
  test::expect_throws<FormatError>({"float.npz", "u8 [N, H, W, 1 or 3]", "f32 [9, 4, 4, 1]"},
                                   [&] { open_images(folder / "float.npz"); });
}

TEST_F(ImageFiles, ADataSetOfNumbersIsRefused) {
  write(folder / "numbers.npy", at::zeros({3, 2}));
  test::expect_throws<ConfigError>({"numbers", "images", "float32", "[2]"},
                                   [&] { open_images(folder / "numbers.npy"); });
}

TEST_F(ImageFiles, AreCroppedAndResized) {
  const Tensor wide = at::cat({channels_last, channels_last}, 2).repeat({1, 2, 1, 1});
  write(folder / "images.npz", wide);  // [9, 8, 8, 1]
  write(folder / "images.npy", wide);
  for (const char* name : {"images.npz", "images.npy"}) {
    const ImageSource source = open_images(folder / name, {.image_size = 2});
    EXPECT_EQ(source.shape, (std::vector<int64_t>{1, 2, 2})) << name;
    const Tensor means = wide.to(at::kFloat).view({9, 2, 4, 2, 4}).mean({2, 4}).unsqueeze(1);
    const Tensor error = source.read(0, 9).to(at::kFloat) - means;
    EXPECT_LE(error.abs().max().item<float>(), 0.5F) << name;
  }
  EXPECT_THROW(open_images(folder / "images.npz", {.image_size = 0}), ConfigError);
}

TEST_F(ImageFiles, HaveLabelsOfFiles) {
  const Tensor labels = at::arange(9).remainder(4);
  const auto write_both = [&](const Tensor& values) {
    const io::Array first = to_array(channels_last);
    const io::Array second = to_array(values);
    io::write_npz(folder / "images.npz", {{"arr_0", first.view()}, {"arr_1", second.view()}});
  };
  write_both(labels);
  const ImageSource of_npz = open_images(folder / "images.npz");
  EXPECT_FALSE(of_npz.num_classes.has_value()) << "more may exist than occur";
  EXPECT_TRUE(at::equal(of_npz.labels(2, 5), labels.narrow(0, 2, 5)));
  write_both(labels.to(at::kFloat));
  EXPECT_EQ(open_images(folder / "images.npz").num_classes, 0);
  write_both(labels.narrow(0, 0, 8));
  EXPECT_EQ(open_images(folder / "images.npz").num_classes, 0);
  write(folder / "images.npy", channels_last);
  EXPECT_EQ(open_images(folder / "images.npy").num_classes, 0);
  write(folder / "images.labels.npy", labels);
  const ImageSource of_dataset = open_images(folder / "images.npy");
  EXPECT_EQ(of_dataset.num_classes, 4);
  EXPECT_TRUE(at::equal(of_dataset.labels(2, 5), labels.narrow(0, 2, 5)));
}

TEST_F(ImageFiles, ARandomSubsetKeepsTheLabels) {
  ImageSource all{.count = 9};
  all.read =
      all.labels = [](int64_t first, int64_t size) { return at::arange(first, first + size); };
  const ImageSource some = random_subset(all, 5, 3);
  EXPECT_TRUE(at::equal(some.labels(1, 4), some.read(1, 4)));
}

TEST_F(ImageFiles, ARandomSubsetKeepsTheOrderAndDependsOnTheSeed) {
  write(folder / "images.npz", channels_last);
  const ImageSource all = open_images(folder / "images.npz");
  const ImageSource some = random_subset(all, 5, 3);
  ASSERT_EQ(some.count, 5);
  const Tensor chosen = some.read(0, 5);
  int64_t next = 0;
  for (int64_t i = 0; i < 5; ++i, ++next) {
    while (next < 9 && !at::equal(chosen[i], images[next])) ++next;
    EXPECT_LT(next, 9) << "image " << i << " is not a later one of the set";
  }
  EXPECT_TRUE(at::equal(some.read(2, 2), chosen.narrow(0, 2, 2)));
  EXPECT_FALSE(at::equal(random_subset(all, 5, 4).read(0, 5), chosen));
  EXPECT_TRUE(at::equal(random_subset(all, 9, 3).read(0, 9), images));
}

TEST(ImagesOfModel, AreThoseOfConsecutiveSeeds) {
  const Model model = test::small_model();
  const GenerateOptions options{.num_steps = 1, .batch = 3};
  const ImageSource source = images_of_model(model, options, 10, 100);
  EXPECT_EQ(source.count, 10);
  EXPECT_EQ(source.batch, 3);
  EXPECT_EQ(source.shape, (std::vector<int64_t>{3, 8, 8}));
  EXPECT_TRUE(at::equal(source.read(4, 2), generate(model, {104, 105}, options).images));
  EXPECT_EQ(source.num_classes, 0);
}

TEST(ImagesOfModel, HaveTheClassesThatTheyAreDrawnFor) {
  const Model model = test::small_model(3);
  const auto source = [&](std::optional<int64_t> label) {
    return images_of_model(model, {.num_steps = 1, .class_label = label}, 10, 100);
  };
  EXPECT_EQ(source(std::nullopt).num_classes, 3);
  EXPECT_TRUE(at::equal(source(std::nullopt).labels(4, 2),
                        generate(model, {104, 105}, {.num_steps = 1}).labels));
  EXPECT_TRUE(at::equal(source(2).labels(4, 2), at::full({2}, 2)));
  EXPECT_EQ(source(kNullLabel).num_classes, 0);
}

}  // namespace
}  // namespace halfstep::metrics
