#include "halfstep/metrics/restoration_quality.h"

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/metrics/evaluate.h"
#include "tests/metrics/feature_file.h"
#include "tests/train/small_runs.h"

namespace halfstep::metrics {
namespace {

const auto kPixels = at::TensorOptions().dtype(at::kByte);

// The pattern (i a + j b + c) mod 256 of 16 x 20 pixels.
Tensor pattern(int a, int b, int c) {
  const Tensor i = at::arange(16, at::kLong).unsqueeze(1), j = at::arange(20, at::kLong);
  return (i * a + j * b + c).remainder(256).to(at::kByte);
}

const Tensor kOne = pattern(13, 7, 0);
const Tensor kOther = pattern(11, 9, 5);

// The expected numbers are those of scikit-image 0.26: peak_signal_noise_ratio, and
// structural_similarity with gaussian_weights, sigma 1.5 and use_sample_covariance=False.
TEST(RestorationQuality, IsThatOfScikitImage) {
  const Tensor one = kOne.reshape({1, 1, 16, 20}), other = kOther.reshape({1, 1, 16, 20});
  EXPECT_NEAR(psnr(one, other).item<double>(), 14.579354646933433, 1e-12);
  EXPECT_NEAR(ssim(one, other).item<double>(), 0.8589745944346884, 1e-12);
  const Tensor colour = at::stack({kOne, kOther, kOne.flip(0)}).unsqueeze(0);
  const Tensor others = at::stack({kOther, kOne, kOne}).unsqueeze(0);
  EXPECT_NEAR(psnr(colour, others).item<double>(), 10.873048070580435, 1e-12);
  EXPECT_NEAR(ssim(colour, others).item<double>(), 0.4587855343737958, 1e-12);
}

TEST(RestorationQuality, IsBestForTheSameImages) {
  const Tensor image = kOne.reshape({1, 1, 16, 20});
  EXPECT_EQ(psnr(image, image).item<double>(), kMostPsnr);
  EXPECT_NEAR(ssim(image, image).item<double>(), 1.0, 1e-12);
  EXPECT_THROW(ssim(image.narrow(2, 0, 10), image.narrow(2, 0, 10)), ConfigError);
  EXPECT_THROW(psnr(image, image.narrow(2, 0, 10)), ConfigError);
}

TEST(RestorationQuality, FeaturesAreComparedByTheirDirection) {
  const Tensor a = at::tensor({3.0F, 0.0F, 0.0F, 2.0F, 1.0F, 1.0F}).reshape({3, 2});
  const Tensor b = at::tensor({1.0F, 0.0F, 5.0F, 0.0F, -2.0F, -2.0F}).reshape({3, 2});
  const Tensor distance = feature_distance(a, b);
  EXPECT_NEAR(distance[0].item<double>(), 0.0, 1e-12);
  EXPECT_NEAR(distance[1].item<double>(), 2.0, 1e-12);
  EXPECT_NEAR(distance[2].item<double>(), 4.0, 1e-12);
}

TEST(RestorationQuality, SumsAreOverImages) {
  const Tensor two = at::stack({kOne, kOther}).unsqueeze(1);
  const Tensor originals = at::stack({kOne, kOne}).unsqueeze(1);
  RestorationSums whole, parts;
  whole.add(two, originals);
  parts.add(two.narrow(0, 0, 1), originals.narrow(0, 0, 1));
  parts.add(two.narrow(0, 1, 1), originals.narrow(0, 1, 1));
  EXPECT_DOUBLE_EQ(whole.mean_psnr(), psnr(two, originals).mean().item<double>());
  EXPECT_DOUBLE_EQ(parts.mean_psnr(), whole.mean_psnr());
  EXPECT_DOUBLE_EQ(parts.mean_ssim().value(), whole.mean_ssim().value());
  RestorationSums small;
  small.add(two.narrow(2, 0, 10), originals.narrow(2, 0, 10));
  EXPECT_FALSE(small.mean_ssim());
}

TEST(RestorationQuality, IsPartOfTheEvaluationOfARestoringModel) {
  const Model model = test::small_inpainter();
  const auto network = load_feature_network(test::kResNet20Cifar10);
  const ImageSource images = images_of_dataset(test::small_dataset(40));
  const EvaluationOptions options{.num = 30, .first_seed = 5};
  const FeatureSet reference =
      reference_features({.name = "shades", .images = images}, *network, options);
  const EvaluationResult result =
      evaluate(model, {.num_steps = 1}, reference, *network, options, {}, images);
  std::vector<uint64_t> seeds(30);
  std::iota(seeds.begin(), seeds.end(), 5);
  const Tensor originals = images.read(0, 30);
  const Tensor restored =
      generate(model, seeds, {.num_steps = 1, .known = known_for(model.spec(), originals, seeds)})
          .images;
  EXPECT_NEAR(result.psnr.value(), psnr(restored, originals).mean().item<double>(), 1e-9);
  EXPECT_FALSE(result.ssim);
  EXPECT_NEAR(result.feature_distance.value(),
              feature_distance((*network)(restored).features, (*network)(originals).features)
                  .mean()
                  .item<double>(),
              1e-6);
}

}  // namespace
}  // namespace halfstep::metrics
