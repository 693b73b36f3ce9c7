#include "halfstep/diffusion/tiled.h"

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include "halfstep/core/error.h"
#include "tests/support/expect_throws.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

// A denoiser that looks at each pixel alone, and at the condition's.
Prediction pixelwise(const Tensor& z, const Tensor& phi, const Condition& condition) {
  const Tensor image = condition.tensors.at(kConditionImage);
  EXPECT_EQ(image.sizes(), z.sizes());
  const Tensor c = at::cos(phi).to(at::kFloat).reshape({-1, 1, 1, 1});
  return {.x = c * z + image, .eps = z - image};
}

TEST(Tiled, ADenoiserOfSinglePixelsStaysTheSame) {
  const Tensor z = at::randn({2, 3, 19, 30});
  const Tensor phi = at::tensor({0.3, 1.2}, at::kDouble);
  const Condition condition{.tensors = {{kConditionImage, at::randn({2, 3, 19, 30})}}};
  const Prediction whole = pixelwise(z, phi, condition);
  const Prediction parts = tiled(pixelwise, 8, 12)(z, phi, condition);
  EXPECT_TENSOR_CLOSE(parts.x, whole.x);
  EXPECT_TENSOR_CLOSE(parts.eps, whole.eps);
}

// A denoiser that says which tile it was called for: tiles are as few as overlap by half, and every
// pixel is a mean of the tiles over it, weighted by their triangles.
TEST(Tiled, WeighsTilesByTheDistanceToTheirEdges) {
  float calls = 0.0F;
  const Denoiser counted = [&](const Tensor& z, const Tensor& /*phi*/, const Condition&) {
    const Tensor x = at::full_like(z, calls++);
    return Prediction{.x = x, .eps = x};
  };
  const Tensor z = at::zeros({1, 1, 4, 6});
  const Tensor x = tiled(counted, 4, 4)(z, at::tensor({1.0}, at::kDouble), {}).x;
  EXPECT_EQ(calls, 2.0F);
  // Weights 1, 2, 2, 1 from columns 0 and 2.
  const Tensor row = at::tensor({0.0F, 0.0F, 1.0F / 3, 2.0F / 3, 1.0F, 1.0F});
  for (int64_t y = 0; y < 4; ++y) EXPECT_TENSOR_CLOSE(x[0][0][y], row);
}

TEST(Tiled, CallsOnceForImagesOfOneTile) {
  int calls = 0;
  const Denoiser counted = [&](const Tensor& z, const Tensor& /*phi*/, const Condition&) {
    ++calls;
    return Prediction{.x = z, .eps = z};
  };
  const Tensor z = at::randn({2, 1, 5, 7});
  EXPECT_TRUE(at::equal(tiled(counted, 5, 7)(z, at::zeros({2}, at::kDouble), {}).x, z));
  EXPECT_EQ(calls, 1);
}

TEST(Tiled, RefusesSmallerImages) {
  test::expect_throws<ConfigError>({"tiled", "at least 8 x 8", "[1, 1, 8, 7]"}, [] {
    tiled(pixelwise, 8, 8)(at::zeros({1, 1, 8, 7}), at::zeros({1}, at::kDouble), {});
  });
}

}  // namespace
}  // namespace halfstep
