// The numbers come from make_moment_matching_golden.py, an independent version in NumPy.
#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <vector>

#include "halfstep/diffusion/ancestral.h"
#include "halfstep/diffusion/angle.h"
#include "halfstep/objective/moment_matching.h"
#include "tests/support/random_tensors.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

constexpr int64_t kExamples = 2;
constexpr int64_t kElements = 3;

constexpr double kZs[] = {0.6697464810689667,  0.24588018645055937, -0.404047217655916,
                          -1.3209089361203905, -1.1279500206122643, 0.1020409420387462};
constexpr double kLoss[] = {2.8384808921113724, 2.672465796122632};
constexpr double kOfAuxiliary[] = {0.5198028639027735,   1.8599860999664974,  1.4901066934864,
                                   -0.04097888972309841, -1.5910596731950253, -1.6783275306790635};
constexpr double kOfStudent[] = {0.2215617327098286,   0.30532478503922983, 0.1083736380809513,
                                 -0.14251033965047993, -0.2360540415160958, -0.11257074623080056};

template <size_t kSize>
Tensor tensor(const double (&values)[kSize], at::IntArrayRef shape) {
  return test::float64_vector(std::vector<double>(values, values + kSize)).view(shape);
}

Tensor wave(int64_t k) {
  return (at::arange(kExamples * kElements, at::kDouble) + k).sin().view({kExamples, kElements});
}

TEST(MomentMatchingGolden, OneUpdateOfBothNetworks) {
  const Tensor phi_t = test::float64_vector({kHalfPi, 0.9});
  const Tensor phi_s = test::float64_vector({0.7, 0.2});
  const Tensor z_t = diffuse(wave(1), wave(2), phi_t);
  const Tensor student = wave(4).requires_grad_();
  const Tensor auxiliary = wave(6).requires_grad_();

  const Tensor sample = predict(Output::v, student, z_t, phi_t).x;
  const Tensor z_s = ancestral_step(z_t, sample.detach(), phi_t, phi_s, 0.0, wave(3));
  const Prediction teacher = predict(Output::v, wave(5), z_s, phi_s);
  const Tensor loss = auxiliary_loss(Output::v, auxiliary, z_s, phi_s, sample.detach(), teacher);
  loss.sum().backward();
  const Tensor x = predict(Output::v, auxiliary.detach(), z_s, phi_s).x;
  moment_loss(sample, x, teacher.x).sum().backward();

  EXPECT_TENSOR_CLOSE(z_s, tensor(kZs, {kExamples, kElements}));
  EXPECT_TENSOR_CLOSE(loss.detach(), tensor(kLoss, {kExamples}));
  EXPECT_TENSOR_CLOSE(auxiliary.grad(), tensor(kOfAuxiliary, {kExamples, kElements}));
  EXPECT_TENSOR_CLOSE(student.grad(), tensor(kOfStudent, {kExamples, kElements}));
}

}  // namespace
}  // namespace halfstep
