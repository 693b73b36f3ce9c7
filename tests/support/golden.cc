#include "tests/support/golden.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "halfstep/io/json.h"
#include "tests/support/tolerance.h"

namespace halfstep::test {
namespace {

at::ScalarType scalar_type_of(io::DType dtype) {
  switch (dtype) {
    case io::DType::f64:
      return at::kDouble;
    case io::DType::f32:
      return at::kFloat;
    case io::DType::i64:
      return at::kLong;
    case io::DType::i32:
      return at::kInt;
    case io::DType::u8:
      return at::kByte;
    default:
      throw std::runtime_error("golden: element type " + std::string(io::name_of(dtype)));
  }
}

template <class T>
T named(const std::string& name, const std::vector<std::pair<std::string, T>>& known) {
  for (const auto& [word, value] : known) {
    if (word == name) return value;
  }
  throw std::runtime_error("golden: unknown word " + name);
}

double magnitude(const Tensor& tensor) { return tensor.to(at::kDouble).abs().max().item<double>(); }

// Returns whether a gradient is 0 up to rounding. This is so for the biases of k, and for
// convolution biases before a norm with one channel per group: the result does not depend on them.
bool is_rounding(const Tensor& gradient) { return magnitude(gradient) < 1e-12; }

}  // namespace

std::filesystem::path golden_folder() {
  const char* chosen = std::getenv("HALFSTEP_GOLDEN");
  return chosen != nullptr && *chosen != '\0' ? chosen : HALFSTEP_GOLDEN_DIR;
}

Tensor nchw(const Tensor& nhwc) { return nhwc.movedim(-1, -3).contiguous(); }
Tensor nhwc(const Tensor& nchw) { return nchw.movedim(-3, -1).contiguous(); }

Golden::Golden(const std::string& name)
    : name_(name),
      file_(golden_folder() / (name + ".safetensors")),
      settings_(io::read_json(golden_folder() / (name + ".json"))) {}

bool Golden::has(const std::string& key) const { return file_.tensors().contains(key); }

Tensor Golden::at(const std::string& key) const {
  const io::ArrayView& view = file_.at(key);
  Tensor tensor = at::empty(view.shape, at::TensorOptions().dtype(scalar_type_of(view.dtype)));
  if (!view.bytes.empty()) std::memcpy(tensor.data_ptr(), view.bytes.data(), view.bytes.size());
  return tensor.is_floating_point() ? tensor : tensor.to(at::kLong);
}

Expected Golden::expected(const std::string& key) const {
  const nlohmann::json& recorded = settings_.at("f32_vs_f64_maxabsdiff_and_scale");
  const Tensor value = at(has(key + "@64") ? key + "@64" : key);
  double error = 0.0;
  double scale = scale_of(value);
  if (recorded.contains(key)) {
    error = recorded.at(key).at(0).get<double>();
    scale = recorded.at(key).at(1).get<double>();
  }
  return {name_ + ": " + key, value, std::max(kGoldenErrors * error, kFloat32Tolerance * scale)};
}

// Returns the largest error of the official float32 gradients, relative to the scale of each
// gradient, among those with a float64 run.
double Golden::largest_gradient_error(const std::string& prefix) const {
  double largest = 0.0;
  for (const std::string& path : keys(prefix)) {
    if (!has(prefix + path + "@64")) continue;
    const Tensor truth = at(prefix + path + "@64");
    if (is_rounding(truth)) continue;
    largest = std::max(largest, magnitude(at(prefix + path) - truth) / magnitude(truth));
  }
  return largest;
}

Expected Golden::expected_gradient(const std::string& prefix, const std::string& path) const {
  Expected expected = this->expected(prefix + path);
  const std::string kernel = prefix + path.substr(0, path.rfind('/')) + "/kernel";
  if (is_rounding(expected.value) && has(kernel)) {
    // The gradient has no scale of its own; use that of the layer's kernel.
    expected.tolerance = kFloat32Tolerance * magnitude(at(kernel));
  } else if (!has(prefix + path + "@64")) {
    // The reference is a float32 run with an error of its own: allow that error once more.
    const double relative = (1.0 + kGoldenErrors) * largest_gradient_error(prefix);
    expected.tolerance = std::max(expected.tolerance, relative * magnitude(expected.value));
  }
  return expected;
}

std::vector<std::string> Golden::keys(const std::string& prefix) const {
  std::vector<std::string> found;
  for (const auto& [key, view] : file_.tensors()) {
    if (key.starts_with(prefix) && !key.ends_with("@64"))
      found.push_back(key.substr(prefix.size()));
  }
  return found;
}

std::vector<std::string> Golden::strings(const std::string& setting) const {
  return settings_.at(setting).get<std::vector<std::string>>();
}

std::vector<int64_t> Golden::integers(const std::string& setting) const {
  return settings_.at(setting).get<std::vector<int64_t>>();
}

Schedule Golden::schedule() const {
  const nlohmann::json& schedule = settings_.at("schedule");
  if (schedule.at("name") != "cosine") throw std::runtime_error("golden: unknown schedule");
  return Schedule(
      CosineSchedule{.clip = LogsnrRange{.min = schedule.at("logsnr_min").get<double>(),
                                         .max = schedule.at("logsnr_max").get<double>()}});
}

Output output_named(const std::string& mean_type) {
  return named<Output>(
      mean_type,
      {{"x", Output::x}, {"eps", Output::eps}, {"v", Output::v}, {"both", Output::x_and_eps}});
}

Weighting weighting_named(const std::string& weight) {
  return named<Weighting>(weight, {{"constant", Weighting::constant},
                                   {"snr", Weighting::snr},
                                   {"snr_trunc", Weighting::snr_trunc},
                                   {"v_mse", Weighting::snr_plus_one}});
}

namespace internal {

::testing::AssertionResult golden_pred(const char* actual_text, const char* /*expected_text*/,
                                       const Tensor& actual, const Expected& expected) {
  const ::testing::AssertionResult result = tensor_near(actual, expected.value, expected.tolerance);
  if (result) return result;
  return ::testing::AssertionFailure()
         << actual_text << " differs from the official " << expected.name << "\n"
         << result.message() << "\nSee tests/golden/README.md for the vectors and the tolerance";
}

}  // namespace internal
}  // namespace halfstep::test
