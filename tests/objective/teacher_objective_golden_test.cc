// e_distill: Algorithm 2 with a closed-form network, N = number of student steps.
//
// `clip0` is what the official code does. `clip1` (a clipped teacher) is not official and not a
// feature: left out.
#include <gtest/gtest.h>

#include <cmath>

#include "halfstep/diffusion/angle.h"
#include "halfstep/diffusion/ddim.h"
#include "halfstep/diffusion/weighting.h"
#include "halfstep/objective/teacher_objective.h"
#include "tests/support/golden.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

using test::Golden;

// raw = 1.2 tanh(z A + b logsnr / 20 + c) over the channels, in the type of z.
struct ToyNetwork {
  Tensor a, b, c;

  ToyNetwork(const Golden& golden, const std::string& who, Output output) {
    const std::string prefix = "in/" + who + (output == Output::x_and_eps ? "6/" : "3/");
    a = golden.at(prefix + "A");
    b = golden.at(prefix + "b");
    c = golden.at(prefix + "c");
  }

  Tensor operator()(const Tensor& z, const Tensor& phi) const {
    const Tensor level = per_example(z, logsnr_of_phi(phi) / 20.0) * b.to(z.dtype());
    return test::nchw(
        1.2 * (at::matmul(test::nhwc(z), a.to(z.dtype())) + level + c.to(z.dtype())).tanh());
  }
};

// What the teacher was asked and said.
struct Call {
  Tensor z;
  Tensor phi;
  Prediction prediction;
};

// One distillation of the file: an output and a number of student steps.
struct Distillation {
  std::string mean_type;
  int64_t num_steps;
  Tensor step;  // i of each example
  Batch batch;
  std::vector<Call> calls;
  Prediction target;

  Output output() const { return test::output_named(mean_type); }
  // "out/v/N4/clip0/" + name
  std::string key(const std::string& name) const {
    return "out/" + mean_type + "/N" + std::to_string(num_steps) + "/clip0/" + name;
  }
};

Distillation distil(const Golden& golden, const std::string& mean_type, int64_t num_steps,
                    at::ScalarType dtype) {
  Distillation d{.mean_type = mean_type,
                 .num_steps = num_steps,
                 .step = golden.at("in/i_N" + std::to_string(num_steps)),
                 .batch = {},
                 .calls = {},
                 .target = {}};
  d.batch.angles = step_angles(golden.schedule(), d.step, num_steps);
  d.batch.x = golden.images("in/x").to(dtype);
  d.batch.eps = golden.images("in/eps").to(dtype);
  d.batch.z = diffuse(d.batch.x, d.batch.eps, d.batch.angles.phi_t);
  const ToyNetwork network(golden, "teacher", d.output());
  const Denoiser teacher = [&](const Tensor& z, const Tensor& phi, const Condition&) {
    const Prediction prediction = predict(d.output(), network(z, phi), z, phi);
    d.calls.push_back({z, phi, prediction});
    return prediction;
  };
  d.target = teacher_target(teacher, d.batch);
  return d;
}

template <class Check>
void for_each_distillation(const Golden& golden, at::ScalarType dtype, const Check& check) {
  for (const std::string& mean_type : golden.strings("mean_types")) {
    for (const int64_t num_steps : golden.integers("N")) {
      SCOPED_TRACE(mean_type + ", N = " + std::to_string(num_steps));
      check(distil(golden, mean_type, num_steps, dtype));
    }
  }
}

TEST(TeacherTargetGolden, AnglesAreTheOfficialLogsnrs) {
  const Golden golden("e_distill");
  const Schedule schedule = golden.schedule();
  for (const int64_t num_steps : golden.integers("N")) {
    const std::string n = std::to_string(num_steps);
    const Tensor step = golden.at("in/i_N" + n);
    const StepAngles angles = step_angles(schedule, step, num_steps);
    const std::string prefix = "out/N" + n + "/logsnr_";
    EXPECT_GOLDEN(logsnr_of_phi(angles.phi_t), golden.expected(prefix + "t"));
    EXPECT_GOLDEN(logsnr_of_phi(angles.phi_m[0]), golden.expected(prefix + "mid"));
    // At i = 0 our grid ends at phi = 0. The official one stays at the schedule's end and returns
    // x instead of z_s: the same.
    const Tensor end = at::full_like(angles.phi_s, schedule.phi(0.0));
    EXPECT_GOLDEN(logsnr_of_phi(at::where(step == 0, end, angles.phi_s)),
                  golden.expected(prefix + "s"));
  }
}

TEST(TeacherTargetGolden, TargetsAreTheOfficialOnes) {
  const Golden golden("e_distill");
  for_each_distillation(golden, at::kFloat, [&](const Distillation& d) {
    EXPECT_GOLDEN(d.target.x, golden.expected(d.key("x_target")).images());
    EXPECT_GOLDEN(d.target.eps, golden.expected(d.key("eps_target")).images());
    EXPECT_GOLDEN(v_of(d.target, d.batch.angles.phi_t),
                  golden.expected(d.key("v_target")).images());
  });
}

TEST(TeacherTargetGolden, TeacherWalksWhereTheOfficialTeacherDoes) {
  const Golden golden("e_distill");
  const Schedule schedule = golden.schedule();
  for_each_distillation(golden, at::kFloat, [&](const Distillation& d) {
    ASSERT_EQ(d.calls.size(), 2);
    const std::string z_t = "out/N" + std::to_string(d.num_steps) + "/z_t";
    EXPECT_GOLDEN(d.calls[0].z, golden.expected(z_t).images());
    EXPECT_GOLDEN(d.calls[1].z, golden.expected(d.key("z_mid")).images());
    // The second step, which the mix makes unnecessary. At i = 0 the official z_s carries
    // sin(phi(0)) of noise, so this goes to phi(0), not to phi_s = 0.
    const Tensor phi_s = schedule.phi(d.step.to(at::kDouble) / d.num_steps);
    EXPECT_GOLDEN(ddim_step(d.calls[1].prediction, phi_s), golden.expected(d.key("z_s")).images());
  });
}

TEST(TeacherTargetGolden, LossesAreTheOfficialOnes) {
  const Golden golden("e_distill");
  for_each_distillation(golden, at::kFloat, [&](const Distillation& d) {
    const Tensor raw = ToyNetwork(golden, "student", d.output())(d.batch.z, d.batch.angles.phi_t);
    for (const std::string& weight : golden.strings("weights")) {
      const Tensor loss = weighted_loss(d.output(), test::weighting_named(weight), raw, d.target,
                                        d.batch.angles.phi_t);
      EXPECT_GOLDEN(loss, golden.expected(d.key("loss/" + weight)));
    }
  });
}

// The same algebra, not only numbers that agree to float32: float64 in, the official float64 run
// out.
TEST(TeacherTargetGolden, Float64TargetsAreTheOfficialFloat64Ones) {
  const Golden golden("e_distill");
  // The official `both` weighs eps by (1 - sigmoid) / alpha, which at t = 1 has 1 / cos(phi) of a
  // rounding as its own error; the 8 is the number of roundings on the way.
  const double both_error = 8 * test::kFloat64Rounding / std::cos(golden.schedule().phi(1.0));
  for_each_distillation(golden, at::kDouble, [&](const Distillation& d) {
    const double relative = d.output() == Output::x_and_eps ? both_error : test::kFloat64Tolerance;
    const auto expect_near = [&](const Tensor& ours, const std::string& name) {
      const Tensor official = golden.images(d.key(name + "_target@64"));
      EXPECT_TENSOR_NEAR(ours, official, relative * test::scale_of(official)) << name;
    };
    expect_near(d.target.x, "x");
    expect_near(d.target.eps, "eps");
    expect_near(v_of(d.target, d.batch.angles.phi_t), "v");
  });
}

}  // namespace
}  // namespace halfstep
