#include "halfstep/metrics/moments.h"

#include <ATen/Functions.h>

#include <map>
#include <string>

#include "halfstep/core/error.h"
#include "halfstep/core/shape.h"
#include "halfstep/io/npy.h"
#include "halfstep/model/tensor_io.h"

namespace halfstep::metrics {
namespace {

const auto kFloat64 = at::TensorOptions().dtype(at::kDouble);

}  // namespace

MomentsSum::MomentsSum(int64_t num_features)
    : mean_(at::zeros({num_features}, kFloat64)),
      scatter_(at::zeros({num_features, num_features}, kFloat64)) {}

void MomentsSum::add(const Tensor& features) {
  require_shape("MomentsSum", "features", features, {-1, mean_.size(0)});
  if (features.size(0) == 0) return;
  const Tensor values = features.to(at::kCPU, at::kDouble);
  const Tensor mean = values.mean(0);
  const Tensor centred = values - mean;
  merge(values.size(0), mean, at::mm(centred.t(), centred));
}

void MomentsSum::merge(const MomentsSum& other) {
  require_shape("MomentsSum", "other", other.mean_, {mean_.size(0)});
  merge(other.count_, other.mean_, other.scatter_);
}

void MomentsSum::merge(int64_t count, const Tensor& mean, const Tensor& scatter) {
  if (count == 0) return;
  const Tensor difference = mean - mean_;
  const double share = static_cast<double>(count) / static_cast<double>(count_ + count);
  scatter_ = scatter_ + scatter +
             at::outer(difference, difference) * (share * static_cast<double>(count_));
  mean_ = mean_ + difference * share;
  count_ += count;
}

Moments MomentsSum::moments() const {
  if (count_ < 2) {
    throw ConfigError("moments", "images: expected at least 2, received " + std::to_string(count_));
  }
  return {.mean = mean_, .covariance = scatter_ / static_cast<double>(count_ - 1), .count = count_};
}

Moments read_moments(const std::filesystem::path& path) {
  return moments_of(io::read_npz(path), path.string());
}

Moments moments_of(const std::map<std::string, io::Array>& arrays, const std::string& where) {
  const auto read = [&](const std::string& name, size_t rank) {
    const auto found = arrays.find(name);
    if (found == arrays.end())
      throw FormatError(where, "expected moments mu and sigma, received no " + name);
    const io::Array& array = found->second;
    const bool real = array.dtype == io::DType::f64 || array.dtype == io::DType::f32;
    if (!real || array.shape.size() != rank) {
      throw FormatError(
          where, name + ": expected f64 of " + std::to_string(rank) + " dimensions, received " +
                     std::string(io::name_of(array.dtype)) + " " + io::to_string(array.shape));
    }
    const Tensor values = to_tensor(array.view()).to(at::kDouble);
    if (!values.isfinite().all().item<bool>())
      throw FormatError(where, name + ": expected finite numbers, received NaN or infinity");
    return values;
  };
  const Moments moments{.mean = read("mu", 1), .covariance = read("sigma", 2)};
  const int64_t size = moments.mean.size(0);
  if (moments.covariance.size(0) != size || moments.covariance.size(1) != size) {
    throw FormatError(where, "sigma: expected shape " + io::to_string({{size, size}}) +
                                 ", received " + io::to_string(moments.covariance.sizes().vec()));
  }
  return moments;
}

void write_moments(const std::filesystem::path& path, const Moments& moments) {
  const io::Array mean = to_array(moments.mean);
  const io::Array covariance = to_array(moments.covariance);
  io::write_npz(path, {{"mu", mean.view()}, {"sigma", covariance.view()}});
}

}  // namespace halfstep::metrics
