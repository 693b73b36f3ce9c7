#include "halfstep/nn/kernels/adam.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/random_tensors.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

using test::random_normal;

// More than one task, and not a whole number of vectors.
constexpr int64_t kCount = 100003;

struct Vectors {
  Tensor gradient = random_normal({kCount}, 1, at::kFloat);
  Tensor p = random_normal({kCount}, 2, at::kFloat);
  Tensor m = random_normal({kCount}, 3, at::kFloat) * 0.1;
  Tensor v = random_normal({kCount}, 4, at::kFloat).square();
  Tensor ema = random_normal({kCount}, 5, at::kFloat);

  std::vector<Tensor> all() const { return {gradient, p, m, v, ema}; }
};

const AdamStep kStep{
    .grad_scale = 0.7f, .v_scale = 12.0f, .step_size = 0.02f, .p_keep = 0.999f, .ema_keep = 0.9f};

TEST(AdamStep, IsThePlainForm) {
  const Vectors fused;
  const Vectors plain;
  adam_step(kStep, fused.gradient, fused.p, fused.m, fused.v, fused.ema);
  adam_step_plain(kStep, plain.gradient, plain.p, plain.m, plain.v, plain.ema);
  for (size_t i = 0; i < plain.all().size(); ++i) {
    SCOPED_TRACE(i);
    EXPECT_TENSOR_CLOSE(fused.all()[i], plain.all()[i]);
  }
}

TEST(AdamStep, ByLibTorchsOperatorIsThePlainForm) {
  AdamStep still = kStep;  // the warm-up of a learning rate of 0
  still.step_size = 0.0f;
  still.p_keep = 1.0f;
  AdamStep first = kStep;  // without clipping, momentum and average, as moment matching begins
  first.grad_scale = first.m_rate = 1.0f;
  first.ema_keep = 0.0f;
  for (const AdamStep& step : {kStep, still, first}) {
    const Vectors fused;
    const Vectors plain;
    adam_step_libtorch(step, fused.gradient, fused.p, fused.m, fused.v, fused.ema);
    adam_step_plain(step, plain.gradient, plain.p, plain.m, plain.v, plain.ema);
    for (size_t i = 0; i < plain.all().size(); ++i) {
      SCOPED_TRACE(i);
      EXPECT_TENSOR_CLOSE(fused.all()[i], plain.all()[i]);
    }
  }
  const Vectors without;
  const Vectors with;
  adam_step_libtorch(kStep, without.gradient, without.p, without.m, without.v, /*ema=*/{});
  adam_step_libtorch(kStep, with.gradient, with.p, with.m, with.v, with.ema);
  EXPECT_TRUE(at::equal(without.p, with.p));
}

TEST(AdamStep, WithoutAnAverageTheRestIsTheSame) {
  const Vectors with;
  const Vectors without;
  adam_step(kStep, with.gradient, with.p, with.m, with.v, with.ema);
  adam_step(kStep, without.gradient, without.p, without.m, without.v, /*ema=*/{});
  EXPECT_TRUE(at::equal(without.p, with.p));
  EXPECT_TRUE(at::equal(without.ema, Vectors().ema));
}

TEST(AdamStep, BitsDoNotDependOnTheNumberOfThreads) {
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const Vectors one;
  adam_step(kStep, one.gradient, one.p, one.m, one.v, one.ema);
  const Tensor norm = norm_of(one.p);
  for (const int threads : {2, 3, 5}) {
    at::set_num_threads(threads);
    const Vectors some;
    adam_step(kStep, some.gradient, some.p, some.m, some.v, some.ema);
    for (size_t i = 0; i < one.all().size(); ++i)
      EXPECT_TRUE(at::equal(some.all()[i], one.all()[i]));
    EXPECT_TRUE(at::equal(norm_of(some.p), norm));
  }
  at::set_num_threads(before);
}

TEST(NormOf, IsTheNormInFloat64) {
  const Tensor x = random_normal({kCount}, 1, at::kFloat);
  const double expected = x.to(at::kDouble).norm().item<double>();
  EXPECT_NEAR(norm_of(x).item<double>(), expected, test::kFloat32Tolerance * expected);
  EXPECT_EQ(norm_of(at::zeros({7})).item<double>(), 0.0);
  EXPECT_EQ(norm_of(at::full({40}, 3.0f)).item<double>(), 3.0 * std::sqrt(40.0));
}

TEST(NormOf, IsNotFiniteIfAnElementIsNot) {
  for (const float bad :
       {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    for (const int64_t at : {int64_t{0}, kCount / 2, kCount - 1}) {
      Tensor x = at::zeros({kCount});
      x[at] = bad;
      EXPECT_FALSE(norm_of(x).isfinite().item<bool>());
    }
  }
}

}  // namespace
}  // namespace halfstep
