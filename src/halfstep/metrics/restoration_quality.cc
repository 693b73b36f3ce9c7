#include "halfstep/metrics/restoration_quality.h"

#include <ATen/Functions.h>

#include <cmath>
#include <limits>
#include <string>

#include "halfstep/core/error.h"

namespace halfstep::metrics {
namespace {

constexpr double kLargest = 255.0;
constexpr int64_t kWindow = 11;
constexpr double kDeviation = 1.5;

void require_same_shape(const char* where, const Tensor& images, const Tensor& originals) {
  if (images.sizes() == originals.sizes()) return;
  throw ConfigError(where, "expected images of the originals' shape " +
                               c10::str(originals.sizes()) + ", received " +
                               c10::str(images.sizes()));
}

// Returns the weighted means of all windows, [B, C, H - 10, W - 10].
Tensor window_means(const Tensor& values) {
  const Tensor offset = at::arange(kWindow, at::kDouble) - static_cast<double>(kWindow / 2);
  Tensor weights = at::exp(-offset.square() / (2.0 * kDeviation * kDeviation));
  weights = weights / weights.sum();
  const Tensor planes = values.flatten(0, 1).unsqueeze(1);  // [B C, 1, H, W]
  const Tensor rows = at::conv2d(planes, weights.reshape({1, 1, kWindow, 1}));
  const Tensor means = at::conv2d(rows, weights.reshape({1, 1, 1, kWindow}));
  return means.squeeze(1).unflatten(0, {values.size(0), values.size(1)});
}

}  // namespace

Tensor decibels(const Tensor& mean_squared_difference) {
  return 10.0 * at::log10(kLargest * kLargest / mean_squared_difference);
}

Tensor psnr(const Tensor& images, const Tensor& originals) {
  require_same_shape("psnr", images, originals);
  const Tensor error = (images.to(at::kDouble) - originals.to(at::kDouble)).square();
  return decibels(error.flatten(1).mean(1)).clamp_max(kMostPsnr);
}

Tensor ssim(const Tensor& images, const Tensor& originals) {
  require_same_shape("ssim", images, originals);
  if (images.size(2) < kWindow || images.size(3) < kWindow) {
    throw ConfigError("ssim", "expected images of at least " + std::to_string(kWindow) + " x " +
                                  std::to_string(kWindow) + " pixels, received " +
                                  c10::str(images.sizes()));
  }
  const double c1 = 0.01 * 0.01 * kLargest * kLargest, c2 = 0.03 * 0.03 * kLargest * kLargest;
  const Tensor x = images.to(at::kDouble), y = originals.to(at::kDouble);
  const Tensor mean_x = window_means(x), mean_y = window_means(y);
  const Tensor variance_x = window_means(x.square()) - mean_x.square();
  const Tensor variance_y = window_means(y.square()) - mean_y.square();
  const Tensor covariance = window_means(x * y) - mean_x * mean_y;
  const Tensor similarity =
      (2.0 * mean_x * mean_y + c1) * (2.0 * covariance + c2) /
      ((mean_x.square() + mean_y.square() + c1) * (variance_x + variance_y + c2));
  return similarity.flatten(1).mean(1);
}

Tensor feature_distance(const Tensor& features, const Tensor& originals) {
  require_same_shape("feature_distance", features, originals);
  const auto unit = [](const Tensor& rows) {
    const Tensor values = rows.to(at::kDouble);
    return values / values.norm(2, /*dim=*/1, /*keepdim=*/true).clamp_min(1e-10);
  };
  return (unit(features) - unit(originals)).square().sum(1);
}

void RestorationSums::add(const Tensor& images, const Tensor& originals) {
  count_ += static_cast<double>(images.size(0));
  psnr_ += psnr(images, originals).sum().item<double>();
  const bool holds_window = images.size(2) >= kWindow && images.size(3) >= kWindow;
  ssim_ += holds_window ? ssim(images, originals).sum().item<double>()
                        : std::numeric_limits<double>::quiet_NaN();
}

std::optional<double> RestorationSums::mean_ssim() const {
  return std::isnan(ssim_) ? std::nullopt : std::optional(ssim_ / count_);
}

void RestorationSums::sum_over(parallel::ProcessGroup& group) {
  const Tensor sums = at::tensor({count_, psnr_, ssim_}, at::kDouble);
  group.sum(sums);
  count_ = sums[0].item<double>();
  psnr_ = sums[1].item<double>();
  ssim_ = sums[2].item<double>();
}

}  // namespace halfstep::metrics
