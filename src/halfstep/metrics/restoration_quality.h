// How close restored images are to the originals, image by image.
#ifndef HALFSTEP_METRICS_RESTORATION_QUALITY_H_
#define HALFSTEP_METRICS_RESTORATION_QUALITY_H_

#include <optional>

#include "halfstep/core/tensor.h"
#include "halfstep/parallel/process_group.h"

namespace halfstep::metrics {

// Returns 10 log10(255^2 / e) dB of the mean squared difference e of 8-bit images, of any shape.
Tensor decibels(const Tensor& mean_squared_difference);

// The peak signal-to-noise ratio of images that are the same.
inline constexpr double kMostPsnr = 100.0;

// Returns decibels() of each image, at most kMostPsnr: float64 [B]. Images are uint8 [B, C, H, W].
Tensor psnr(const Tensor& images, const Tensor& originals);

// Returns the structural similarity of each image (Wang et al. 2004): float64 [B]. Windows are
// Gaussians of standard deviation 1.5 on 11 x 11 pixels, all inside the image; K1 = 0.01, K2 =
// 0.03; the mean over windows and channels. Images are uint8 [B, C, H, W]. Throws ConfigError if
// they are smaller than a window.
Tensor ssim(const Tensor& images, const Tensor& originals);

// Returns the squared distance between the features of each image, normalized to length 1: [B], of
// features [B, F]. From 0 to 4.
Tensor feature_distance(const Tensor& features, const Tensor& originals);

// Sums of psnr() and ssim() over a set of images.
class RestorationSums {
 public:
  void add(const Tensor& images, const Tensor& originals);

  // Adds the sums of the other processes of the group, all of which make this call.
  void sum_over(parallel::ProcessGroup& group);

  double mean_psnr() const { return psnr_ / count_; }
  // Returns nullopt for images that are smaller than a window of ssim().
  std::optional<double> mean_ssim() const;

 private:
  double count_ = 0.0;
  double psnr_ = 0.0;
  double ssim_ = 0.0;  // NaN where it is not defined
};

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_RESTORATION_QUALITY_H_
