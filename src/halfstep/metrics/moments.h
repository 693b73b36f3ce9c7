// Mean and covariance of features in float64, as the Fréchet distance compares them.
#ifndef HALFSTEP_METRICS_MOMENTS_H_
#define HALFSTEP_METRICS_MOMENTS_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "halfstep/core/tensor.h"
#include "halfstep/io/array.h"

namespace halfstep::metrics {

struct Moments {
  Tensor mean;                // float64 [D]
  Tensor covariance;          // float64 [D, D], divided by n - 1 as numpy.cov does
  int64_t count = 0;          // n; 0: unknown, as for files of other tools
  std::string features = {};  // name of the feature network; empty: unknown
};

// Accumulates moments batch by batch, in any order and partition. The mean and the scatter matrix
// of each batch are merged by the pairwise update of Chan, Golub and LeVeque (1979), which does not
// suffer from cancellation.
class MomentsSum {
 public:
  explicit MomentsSum(int64_t num_features);

  void add(const Tensor& features);  // [B, D]
  void merge(const MomentsSum& other);

  int64_t count() const { return count_; }
  // Throws ConfigError if there are fewer than 2 images.
  Moments moments() const;

 private:
  void merge(int64_t count, const Tensor& mean, const Tensor& scatter);

  int64_t count_ = 0;
  Tensor mean_;     // float64 [D]
  Tensor scatter_;  // float64 [D, D]: sum of (f - mean) (f - mean)^T
};

// Reads an .npz file with `mu` [D] and `sigma` [D, D], float64 or float32, as pytorch-fid and other
// tools write it. Files that write_moments made also have `halfstep_count`, int64 [1],
// and `halfstep_features`, the name of the network as uint8 [bytes]. Throws FormatError if mu or
// sigma is missing, if an array has another shape or type, or if a number is not finite.
Moments read_moments(const std::filesystem::path& path);
// Does the same for the arrays of an .npz file that was read from `where`.
Moments moments_of(const std::map<std::string, io::Array>& arrays, const std::string& where);
void write_moments(const std::filesystem::path& path, const Moments& moments);

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_MOMENTS_H_
