#include "halfstep/metrics/moments.h"

#include <ATen/Functions.h>

#include <map>
#include <span>
#include <string>

#include "halfstep/core/error.h"
#include "halfstep/core/shape.h"
#include "halfstep/io/npy.h"
#include "halfstep/model/tensor_io.h"

namespace halfstep::metrics {
namespace {

const auto kFloat64 = at::TensorOptions().dtype(at::kDouble);

using Arrays = std::map<std::string, io::Array>;

// Returns an array of one dimension and of this type; nullptr if there is none of this name.
const io::Array* optional_array(const Arrays& arrays, const char* name, io::DType dtype,
                                const std::string& where) {
  const auto found = arrays.find(name);
  if (found == arrays.end()) return nullptr;
  const io::Array& array = found->second;
  if (array.dtype == dtype && array.shape.size() == 1 && array.shape[0] > 0) return &array;
  throw FormatError(where, std::string(name) + ": expected " + std::string(io::name_of(dtype)) +
                               " of one dimension, received " +
                               std::string(io::name_of(array.dtype)) + " " +
                               io::to_string(array.shape));
}

int64_t count_of(const Arrays& arrays, const std::string& where) {
  const io::Array* array = optional_array(arrays, "halfstep_count", io::DType::i64, where);
  if (!array) return 0;
  const int64_t count = array->as<int64_t>().front();
  if (count >= 2) return count;
  throw FormatError(
      where, "halfstep_count: expected at least 2 images, received " + std::to_string(count));
}

std::string features_of(const Arrays& arrays, const std::string& where) {
  const io::Array* array = optional_array(arrays, "halfstep_features", io::DType::u8, where);
  if (!array) return "";
  const auto bytes = array->as<uint8_t>();
  return {bytes.begin(), bytes.end()};
}

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
  const Moments moments{.mean = read("mu", 1),
                        .covariance = read("sigma", 2),
                        .count = count_of(arrays, where),
                        .features = features_of(arrays, where)};
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
  std::map<std::string, io::ArrayView> arrays = {{"mu", mean.view()}, {"sigma", covariance.view()}};
  const std::span<const std::string::value_type> name(moments.features);
  if (moments.count > 0) {
    arrays["halfstep_count"] = {io::DType::i64, {1}, std::as_bytes(std::span(&moments.count, 1))};
  }
  if (!name.empty()) {
    arrays["halfstep_features"] = {
        io::DType::u8, {static_cast<int64_t>(name.size())}, std::as_bytes(name)};
  }
  io::write_npz(path, arrays);
}

}  // namespace halfstep::metrics
