// Golden vectors: results of the official implementation. tests/golden/README.md describes the
// files.
#ifndef HALFSTEP_TESTS_SUPPORT_GOLDEN_H_
#define HALFSTEP_TESTS_SUPPORT_GOLDEN_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "halfstep/core/tensor.h"
#include "halfstep/diffusion/parameterization.h"
#include "halfstep/diffusion/schedule.h"
#include "halfstep/diffusion/weighting.h"
#include "halfstep/io/safetensors.h"

namespace halfstep::test {

// Returns the folder of the vectors: $HALFSTEP_GOLDEN if set, otherwise tests/golden of the
// sources.
std::filesystem::path golden_folder();

// Convert [..., H, W, C] to contiguous [..., C, H, W], and back.
Tensor nchw(const Tensor& nhwc);
Tensor nhwc(const Tensor& nchw);

// A result of the official code and the tolerance for ours.
struct Expected {
  std::string name;  // file and key, for messages
  Tensor value;      // the official code run in float64
  double tolerance;  // absolute: max(3 x the official float32 run's error, 1e-5 x scale)

  // Returns the same with the images in our layout.
  Expected images() const { return {name, nchw(value), tolerance}; }
  // Returns the same name and tolerance for a part of the value.
  Expected with(const Tensor& part) const { return {name, part, tolerance}; }
};

// The file NAME.safetensors with its settings, NAME.json.
class Golden {
 public:
  explicit Golden(const std::string& name);

  bool has(const std::string& key) const;
  // Returns an array as stored; integers become int64.
  Tensor at(const std::string& key) const;
  // Returns an array of images in our layout.
  Tensor images(const std::string& key) const { return nchw(at(key)); }
  // Returns the expected value for `key`, given without "@64". If the file lacks the float64 run,
  // the float32 run is used.
  Expected expected(const std::string& key) const;
  // Returns the expected gradient of parameter prefix + path. Some kernels are stored in float32
  // only, and some gradients are 0 up to rounding errors.
  Expected expected_gradient(const std::string& prefix, const std::string& path) const;
  // Returns the sorted keys that start with `prefix`, without the prefix and without "@64" keys.
  std::vector<std::string> keys(const std::string& prefix) const;

  const nlohmann::json& settings() const { return settings_; }
  std::vector<std::string> strings(const std::string& setting) const;
  std::vector<int64_t> integers(const std::string& setting) const;
  // Returns the schedule of settings()["schedule"].
  Schedule schedule() const;

 private:
  double largest_gradient_error(const std::string& prefix) const;

  std::string name_;
  io::SafetensorsFile file_;
  nlohmann::json settings_;
};

// Convert the official names: x, eps, v, both; constant, snr, snr_trunc, v_mse.
Output output_named(const std::string& mean_type);
Weighting weighting_named(const std::string& weight);

namespace internal {
::testing::AssertionResult golden_pred(const char* actual_text, const char* expected_text,
                                       const Tensor& actual, const Expected& expected);
}  // namespace internal

}  // namespace halfstep::test

#define EXPECT_GOLDEN(actual, expected) \
  EXPECT_PRED_FORMAT2(::halfstep::test::internal::golden_pred, actual, expected)

#endif  // HALFSTEP_TESTS_SUPPORT_GOLDEN_H_
