#include "halfstep/diffusion/guidance.h"

#include <gtest/gtest.h>

#include "halfstep/core/error.h"
#include "tests/support/expect_throws.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

// A network that returns label + 2 everywhere, 1 without labels, and counts its calls.
struct LabelNetwork {
  int calls = 0;

  RawOutput raw() {
    return [this](const Tensor& z, const Tensor&, const Condition& condition) {
      ++calls;
      const Tensor values =
          condition.labels.defined() ? condition.labels + 2 : at::ones({z.size(0)});
      return values.to(at::kFloat).view({-1, 1, 1, 1}).expand(z.sizes());
    };
  }
};

Tensor zeros(int64_t count) { return at::zeros({count, 1, 2, 2}); }
Tensor angles(int64_t count) { return at::full({count}, 0.5, at::kDouble); }

TEST(Guided, IsNullPlusWTimesTheDifference) {
  LabelNetwork network;
  const Condition condition{.labels = at::tensor({0, 5}, at::kLong)};
  for (const double w : {0.0, 0.5, 2.0, 7.5}) {
    const Tensor raw = guided(network.raw(), w)(zeros(2), angles(2), condition);
    for (int64_t i = 0; i < 2; ++i) {
      const double with_label = i == 0 ? 2.0 : 7.0;
      EXPECT_TENSOR_CLOSE(raw[i], at::full({1, 2, 2}, 1.0 + w * (with_label - 1.0)));
    }
  }
}

TEST(Guided, WeightOneIsOffAndCostsOneCall) {
  LabelNetwork network;
  const Condition condition{.labels = at::tensor({5}, at::kLong)};
  const Tensor raw = guided(network.raw(), 1.0)(zeros(1), angles(1), condition);
  EXPECT_TRUE(at::equal(raw, at::full({1, 1, 2, 2}, 7.0)));
  EXPECT_EQ(network.calls, 1);
}

TEST(Guided, WithoutLabelsIsOffAndCostsOneCall) {
  LabelNetwork network;
  const Tensor raw = guided(network.raw(), 3.0)(zeros(1), angles(1), {});
  EXPECT_TRUE(at::equal(raw, at::ones({1, 1, 2, 2})));
  EXPECT_EQ(network.calls, 1);
}

// Only the labels differ between the two calls.
TEST(Guided, PassesTheOtherInputsToBothCalls) {
  int calls = 0;
  const RawOutput watch = [&](const Tensor& z, const Tensor&, const Condition& condition) {
    ++calls;
    EXPECT_EQ(condition.guidance[0].item<float>(), 4.0f);
    EXPECT_EQ(condition.tensors.count("low_res"), 1u);
    return z;
  };
  const Condition condition{.labels = at::tensor({5}, at::kLong),
                            .guidance = at::full({1}, 4.0),
                            .tensors = {{"low_res", zeros(1)}}};
  guided(watch, 2.0)(zeros(1), angles(1), condition);
  EXPECT_EQ(calls, 2);
}

TEST(GuidedByCondition, IsGuidedWithTheWeightOfEachExample) {
  LabelNetwork network;
  const Condition condition{.labels = at::tensor({0, 5, 3}, at::kLong),
                            .guidance = at::tensor({0.0f, 2.0f, 7.5f})};
  const Tensor raw = guided_by_condition(network.raw())(zeros(3), angles(3), condition);
  EXPECT_EQ(network.calls, 2);
  for (int64_t i = 0; i < 3; ++i) {
    const Condition one{.labels = condition.labels.narrow(0, i, 1)};
    const double w = condition.guidance[i].item<double>();
    EXPECT_TENSOR_CLOSE(raw.narrow(0, i, 1), guided(network.raw(), w)(zeros(1), angles(1), one));
  }
}

TEST(GuidedByCondition, TakesTheWeightsForItself) {
  const RawOutput watch = [](const Tensor& z, const Tensor&, const Condition& condition) {
    EXPECT_FALSE(condition.guidance.defined());
    EXPECT_EQ(condition.tensors.count("low_res"), 1u);
    return z;
  };
  Condition condition{.labels = at::tensor({5}, at::kLong),
                      .guidance = at::full({1}, 4.0),
                      .tensors = {{"low_res", zeros(1)}}};
  guided_by_condition(watch)(zeros(1), angles(1), condition);
  condition.guidance = Tensor();
  test::expect_throws<ConfigError>({"expected guidance", "none"}, [&] {
    guided_by_condition(watch)(zeros(1), angles(1), condition);
  });
}

TEST(GuidanceRange, IsAWeightOrTwo) {
  for (const char* text : {"1", "2", "0", "1.5", "100", "1-5", "0.5-2.25"}) {
    const std::optional<GuidanceRange> range = GuidanceRange::of(text);
    ASSERT_TRUE(range.has_value()) << text;
    EXPECT_EQ(range->text(), text);
  }
  EXPECT_EQ(GuidanceRange::of("2-2"), (GuidanceRange{.min = 2.0, .max = 2.0}));
  EXPECT_TRUE(GuidanceRange::of("2-2")->is_fixed());
  EXPECT_FALSE(GuidanceRange::of("1-5")->is_fixed());
  EXPECT_FALSE(GuidanceRange{}.is_on());
  EXPECT_TRUE(GuidanceRange::of("1-5")->is_on());
  EXPECT_TRUE(GuidanceRange::of("0")->is_on());
  for (const char* text :
       {"", "-", "1-", "-2", "5-1", "101", "1-101", "nan", "inf", "1e1", "2x", " 2", "1-2-3"})
    EXPECT_FALSE(GuidanceRange::of(text).has_value()) << text;
}

}  // namespace
}  // namespace halfstep
