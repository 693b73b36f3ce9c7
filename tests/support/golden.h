// Golden vectors: numbers of the official implementation. (tests/golden/README.md says what each
// file holds.)
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

// Where the vectors are: the environment's HALFSTEP_GOLDEN if set, else tests/golden of the source.
std::filesystem::path golden_folder();

// [..., H, W, C] -> [..., C, H, W], contiguous, and back.
Tensor nchw(const Tensor& nhwc);
Tensor nhwc(const Tensor& nchw);

// An output of the official code and how near to it ours must be.
struct Expected {
  std::string name;  // file and key, for messages
  Tensor value;      // the official code run in float64
  double tolerance;  // absolute: max(3 x the official float32 run's error, 1e-5 x scale)

  // The same as images in our layout.
  Expected images() const { return {name, nchw(value), tolerance}; }
  // The same for a part of it.
  Expected with(const Tensor& part) const { return {name, part, tolerance}; }
};

// One X.safetensors with its X.json.
class Golden {
 public:
  explicit Golden(const std::string& name);

  bool has(const std::string& key) const;
  // As stored; integers as int64.
  Tensor at(const std::string& key) const;
  // An image array as stored, in our layout.
  Tensor images(const std::string& key) const { return nchw(at(key)); }
  // `key` without "@64". Where the float64 run is not kept, the float32 run stands for it.
  Expected expected(const std::string& key) const;
  // The gradient of a parameter, prefix + path: kernels may be kept in float32 only, and some
  // gradients are 0 but for rounding.
  Expected expected_gradient(const std::string& prefix, const std::string& path) const;
  // All keys that start with `prefix`, without it, sorted; "@64" twins left out.
  std::vector<std::string> keys(const std::string& prefix) const;

  const nlohmann::json& settings() const { return settings_; }
  std::vector<std::string> strings(const std::string& setting) const;
  std::vector<int64_t> integers(const std::string& setting) const;
  // The schedule in settings()["schedule"].
  Schedule schedule() const;

 private:
  double largest_gradient_error(const std::string& prefix) const;

  std::string name_;
  io::SafetensorsFile file_;
  nlohmann::json settings_;
};

// The official names: x, eps, v, both; constant, snr, snr_trunc, v_mse.
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
