#include "tests/support/tolerance.h"

#include <sstream>
#include <vector>

namespace halfstep::test {
namespace {

std::vector<int64_t> index_of(int64_t flat, at::IntArrayRef shape) {
  std::vector<int64_t> index(shape.size());
  for (size_t d = shape.size(); d > 0; --d) {
    index[d - 1] = flat % shape[d - 1];
    flat /= shape[d - 1];
  }
  return index;
}

}  // namespace

double relative_tolerance(at::ScalarType dtype) {
  switch (dtype) {
    case at::kDouble:
      return kFloat64Tolerance;
    case at::kFloat:
      return kFloat32Tolerance;
    case at::kBFloat16:
      return kBFloat16Tolerance;
    default:
      return 0.0;  // integers must be equal
  }
}

double scale_of(const Tensor& tensor) {
  if (tensor.numel() == 0) return 1.0;
  const double scale = tensor.detach().to(at::kDouble).abs().max().item<double>();
  return scale > 0.0 ? scale : 1.0;
}

::testing::AssertionResult tensor_near(const Tensor& actual, const Tensor& expected,
                                       double tolerance) {
  if (!actual.defined() || !expected.defined()) {
    return ::testing::AssertionFailure() << "an undefined tensor";
  }
  if (actual.sizes() != expected.sizes()) {
    std::ostringstream shapes;
    shapes << "expected shape " << expected.sizes() << ", got " << actual.sizes();
    return ::testing::AssertionFailure() << shapes.str();
  }
  if (actual.numel() == 0) return ::testing::AssertionSuccess();
  const Tensor a = actual.detach().cpu().to(at::kDouble).contiguous();
  const Tensor e = expected.detach().cpu().to(at::kDouble).contiguous();
  // Equal infinities have no error. NaN exceeds every tolerance, and argmax() returns it first.
  const Tensor error = at::where(a == e, at::zeros_like(a), (a - e).abs());
  const int64_t worst = error.argmax().item<int64_t>();
  const auto value_at = [worst](const Tensor& t) { return t.flatten()[worst].item<double>(); };
  if (value_at(error) <= tolerance) return ::testing::AssertionSuccess();
  std::ostringstream message;
  message.precision(17);
  message << "max error " << value_at(error) << " at "
          << at::IntArrayRef(index_of(worst, a.sizes())) << ": expected " << value_at(e) << ", got "
          << value_at(a) << ", tolerance " << tolerance << "; "
          << error.gt(tolerance).logical_or(error.isnan()).sum().item<int64_t>() << " of "
          << a.numel() << " elements exceed it";
  return ::testing::AssertionFailure() << message.str();
}

namespace internal {

::testing::AssertionResult tensor_near_pred(const char* actual_text, const char* expected_text,
                                            const char* /*tolerance_text*/, const Tensor& actual,
                                            const Tensor& expected, double tolerance) {
  const ::testing::AssertionResult result = tensor_near(actual, expected, tolerance);
  if (result) return result;
  return ::testing::AssertionFailure()
         << actual_text << " differs from " << expected_text << ": " << result.message();
}

}  // namespace internal
}  // namespace halfstep::test
