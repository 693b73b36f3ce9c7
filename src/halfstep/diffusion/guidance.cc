#include "halfstep/diffusion/guidance.h"

#include <array>
#include <charconv>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/diffusion/angle.h"

namespace halfstep {
namespace {

// Returns raw_null + w (raw_cond - raw_null), where w multiplies an image batch.
template <class Weight>
Tensor two_calls(const RawOutput& raw, const Weight& w, const Tensor& z, const Tensor& phi,
                 const Condition& condition) {
  const Tensor conditioned = raw(z, phi, condition);
  if (!condition.labels.defined() && !condition.tensors.contains(kConditionImage))
    return conditioned;
  Condition null = condition;
  null.labels = Tensor();
  null.tensors.erase(kConditionImage);
  const Tensor unconditioned = raw(z, phi, null);
  return unconditioned + w * (conditioned - unconditioned);
}

std::optional<double> weight_of(std::string_view text) {
  double w = 0.0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, w, std::chars_format::fixed);
  return error == std::errc() && rest == end ? std::optional(w) : std::nullopt;
}

}  // namespace

RawOutput guided(RawOutput raw, double w) {
  if (w == 1.0) return raw;
  return [raw = std::move(raw), w](const Tensor& z, const Tensor& phi, const Condition& condition) {
    return two_calls(raw, w, z, phi, condition);
  };
}

RawOutput guided_by_condition(RawOutput raw) {
  return [raw = std::move(raw)](const Tensor& z, const Tensor& phi, const Condition& condition) {
    if (!condition.guidance.defined()) {
      throw ConfigError("guided_by_condition",
                        "condition: expected guidance, the weight of each example, received none");
    }
    Condition rest = condition;
    rest.guidance = Tensor();
    return two_calls(raw, per_example(z, condition.guidance), z, phi, rest);
  };
}

std::string text_of_guidance(double w) {
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), w).ptr};
}

std::string GuidanceRange::text() const {
  return text_of_guidance(min) + (is_fixed() ? "" : "-" + text_of_guidance(max));
}

std::optional<GuidanceRange> GuidanceRange::of(std::string_view text) {
  constexpr double kMost = 100.0;
  const size_t dash = text.find('-');
  const std::optional<double> min = weight_of(text.substr(0, dash));
  const std::optional<double> max =
      dash == std::string_view::npos ? min : weight_of(text.substr(dash + 1));
  if (!min || !max || !(*min >= 0.0 && *min <= *max && *max <= kMost)) return std::nullopt;
  return GuidanceRange{.min = *min, .max = *max};
}

}  // namespace halfstep
