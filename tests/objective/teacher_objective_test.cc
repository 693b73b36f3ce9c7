#include "halfstep/objective/teacher_objective.h"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "halfstep/diffusion/angle.h"
#include "halfstep/diffusion/ddim.h"
#include "halfstep/diffusion/sample.h"
#include "halfstep/diffusion/two_step_target.h"
#include "halfstep/objective/data_objective.h"
#include "tests/support/gaussian.h"
#include "tests/support/random_tensors.h"
#include "tests/support/schedules.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

// Nobody's best denoiser, but one that says something else at every z and phi.
Prediction arbitrary_teacher(const Tensor& z, const Tensor& phi, const Condition& /*condition*/) {
  return predict(Output::v, (2.0 * z + per_example(z, 3.0 * phi)).tanh(), z, phi);
}

std::vector<Denoiser> teachers() {
  return {test::GaussianData{.mean = 0.3, .deviation = 0.5}.denoiser(), arbitrary_teacher};
}

Batch batch_at(const Schedule& schedule, const Tensor& step, int64_t num_steps,
               at::ScalarType dtype = at::kDouble, int64_t substeps = 2) {
  Batch batch;
  batch.angles = step_angles(schedule, step, num_steps, substeps);
  batch.x = test::random_normal({step.size(0), 1, 1, 2}, 1, dtype).tanh();
  batch.eps = test::random_normal({step.size(0), 1, 1, 2}, 2, dtype);
  batch.z = diffuse(batch.x, batch.eps, batch.angles.phi_t);
  return batch;
}

// Returns z after the DDIM steps of the teacher through phi_m to phi_s.
Tensor teacher_steps(const Denoiser& teacher, const Batch& batch) {
  Tensor z = batch.z;
  Tensor phi = batch.angles.phi_t;
  for (const Tensor& phi_m : batch.angles.phi_m) {
    z = ddim_step(teacher(z, phi, {}), phi_m);
    phi = phi_m;
  }
  return ddim_step(teacher(z, phi, {}), batch.angles.phi_s);
}

// Calls check(batch of all steps, teacher) for N = 1, 2, 4, ..., 8192, i = 0 included.
template <class Check>
void for_each_grid(const std::vector<test::NamedSchedule>& schedules, const Check& check) {
  for (const auto& [name, schedule] : schedules) {
    for (int64_t num_steps = 1; num_steps <= 8192; num_steps *= 2) {
      SCOPED_TRACE(name + ", N = " + std::to_string(num_steps));
      const Batch batch = batch_at(schedule, at::arange(num_steps), num_steps);
      for (const Denoiser& teacher : teachers()) check(batch, teacher);
    }
  }
}

TEST(TeacherTarget, OneStudentStepLandsWhereTwoTeacherStepsDo) {
  for_each_grid(test::all_schedules(), [](const Batch& batch, const Denoiser& teacher) {
    const Prediction target = teacher_target(teacher, batch);
    EXPECT_TENSOR_CLOSE(ddim_step(target, batch.angles.phi_s), teacher_steps(teacher, batch));
  });
}

// As many steps as there are angles for.
TEST(TeacherTarget, OneStudentStepLandsWhereManyTeacherStepsDo) {
  for (const auto& [name, schedule] : test::all_schedules()) {
    for (const int64_t num_steps : {1, 4, 128}) {
      for (const int64_t substeps : {1, 2, 4, 8, 64}) {
        SCOPED_TRACE(name + ", N = " + std::to_string(num_steps) + ", " + std::to_string(substeps));
        const Batch batch =
            batch_at(schedule, at::arange(num_steps), num_steps, at::kDouble, substeps);
        for (const Denoiser& teacher : teachers()) {
          const Prediction target = teacher_target(teacher, batch);
          EXPECT_TENSOR_CLOSE(ddim_step(target, batch.angles.phi_s), teacher_steps(teacher, batch));
          EXPECT_TENSOR_CLOSE(diffuse(target.x, target.eps, batch.angles.phi_t), batch.z);
        }
      }
    }
  }
}

// The same for a student that puts out x, eps, v or both, and so derives the rest of the pair from
// z.
TEST(TeacherTarget, StudentOfEveryOutputLandsWhereTwoTeacherStepsDo) {
  for (const Output output : {Output::x, Output::eps, Output::v, Output::x_and_eps}) {
    SCOPED_TRACE(static_cast<int>(output));
    // output eps says nothing of x at pi/2
    const bool is_eps = output == Output::eps;
    for_each_grid(
        is_eps ? test::schedules_short_of_noise() : test::all_schedules(),
        [&](const Batch& batch, const Denoiser& teacher) {
          const Prediction target = teacher_target(teacher, batch);
          const Tensor raw = output == Output::x_and_eps
                                 ? at::cat({target.x, target.eps}, 1)
                                 : own_output(output, target, batch.angles.phi_t);
          const Prediction said = predict(output, raw, batch.z, batch.angles.phi_t);
          // x = (z - sin eps) / cos multiplies roundings by 1 / cos(phi_t)
          const Tensor room = is_eps ? batch.angles.phi_t.cos() : at::ones_like(batch.angles.phi_t);
          const Tensor off = ddim_step(said, batch.angles.phi_s) - teacher_steps(teacher, batch);
          EXPECT_TENSOR_NEAR(per_example(off, room) * off, at::zeros_like(off),
                             test::kFloat64Tolerance * test::scale_of(batch.z));
        });
  }
}

// The oracle is Algorithm 2 of the paper, literally, in float64. Its own error is about 8 roundings
// over sin(phi_t - phi_s), so both sides are compared after multiplying by that.
TEST(TeacherTarget, AngleFormEqualsQuotient) {
  for_each_grid(test::all_schedules(), [](const Batch& batch, const Denoiser& teacher) {
    const Prediction target = teacher_target(teacher, batch);
    const Tensor& z = batch.z;
    const Tensor z_s = teacher_steps(teacher, batch);
    const Tensor sin_turn = per_example(z, (batch.angles.phi_t - batch.angles.phi_s).sin());
    const Tensor cos_t = per_example(z, batch.angles.phi_t.cos());
    const Tensor cos_s = per_example(z, batch.angles.phi_s.cos());
    const Tensor rho = per_example(z, batch.angles.phi_s.sin() / batch.angles.phi_t.sin());
    const Tensor x = (z_s - rho * z) / (cos_s - rho * cos_t);
    const double tolerance = 8 * test::kFloat64Rounding * test::scale_of(z);
    EXPECT_TENSOR_NEAR(sin_turn * target.x, sin_turn * x, tolerance);
    // Solved for eps instead of x; eps from x divides by sin(phi_t) once more.
    EXPECT_TENSOR_NEAR(sin_turn * target.eps, cos_s * z - cos_t * z_s, tolerance);
    const Tensor cos_turn = per_example(z, (batch.angles.phi_t - batch.angles.phi_s).cos());
    EXPECT_TENSOR_NEAR(sin_turn * v_of(target, batch.angles.phi_t), cos_turn * z - z_s, tolerance);
  });
}

TEST(TeacherTarget, PairMakesUpZ) {
  for_each_grid(test::all_schedules(), [](const Batch& batch, const Denoiser& teacher) {
    const Prediction target = teacher_target(teacher, batch);
    EXPECT_TENSOR_CLOSE(diffuse(target.x, target.eps, batch.angles.phi_t), batch.z);
  });
}

TEST(TeacherTarget, LiesBetweenTheTeachersPredictionsAtTAndM) {
  for_each_grid(test::all_schedules(), [](const Batch& batch, const Denoiser& teacher) {
    const Prediction at_t = teacher(batch.z, batch.angles.phi_t, {});
    const Prediction at_m =
        teacher(ddim_step(at_t, batch.angles.phi_m[0]), batch.angles.phi_m[0], {});
    const Prediction target =
        two_step_target(at_t, at_m, batch.angles.phi_t, batch.angles.phi_m[0], batch.angles.phi_s);
    const auto expect_between = [](const Tensor& mix, const Tensor& a, const Tensor& b) {
      const Tensor inside = at::minimum(at::maximum(mix, at::minimum(a, b)), at::maximum(a, b));
      EXPECT_TENSOR_CLOSE(mix, inside);
    };
    expect_between(target.x, at_t.x, at_m.x);
    expect_between(target.eps, at_t.eps, at_m.eps);
  });
}

TEST(TeacherTarget, OfTheLastStepIsTheTeachersSecondX) {
  for (const auto& [name, schedule] : test::all_schedules()) {
    for (const int64_t num_steps : {1, 8, 8192}) {
      SCOPED_TRACE(name + ", N = " + std::to_string(num_steps));
      const Batch batch = batch_at(schedule, at::zeros({3}), num_steps, at::kFloat);
      const Tensor z_m =
          ddim_step(arbitrary_teacher(batch.z, batch.angles.phi_t, {}), batch.angles.phi_m[0]);
      EXPECT_TENSOR_NEAR(teacher_target(arbitrary_teacher, batch).x,
                         arbitrary_teacher(z_m, batch.angles.phi_m[0], {}).x, 0.0);
    }
  }
}

// Each teacher step multiplies by cos(d / 2); the student's v with cos(d) z - sin(d) v = cos^2(d /
// 2) z is -tan(d / 2) / 2 z.
TEST(TeacherTarget, OfStandardNormalDataIsMinusHalfATangent) {
  const Schedule schedule(CosineSchedule{.clip = std::nullopt});
  for (const int64_t num_steps : {1, 2, 16, 1024}) {
    const Batch batch = batch_at(schedule, at::arange(num_steps), num_steps);
    const Prediction target = teacher_target(test::GaussianData{}.denoiser(), batch);
    const Tensor turn = batch.angles.phi_t - batch.angles.phi_s;
    EXPECT_TENSOR_CLOSE(v_of(target, batch.angles.phi_t),
                        per_example(batch.z, -0.5 * (0.5 * turn).tan()) * batch.z);
  }
}

// The quotient in float32 has lost 4 digits here.
TEST(TeacherTarget, InFloat32LosesNothingAtManySteps) {
  for (const auto& [name, schedule] : test::all_schedules()) {
    SCOPED_TRACE(name);
    const Batch exact = batch_at(schedule, at::arange(8192), 8192);
    Batch single = exact;
    single.z = exact.z.to(at::kFloat);
    const test::GaussianData data{.mean = 0.3, .deviation = 0.5};
    const Prediction ours = teacher_target(data.denoiser(), single);
    const Prediction truth = teacher_target(data.denoiser(), exact);
    EXPECT_TENSOR_CLOSE(ours.x, truth.x);
    EXPECT_TENSOR_CLOSE(ours.eps, truth.eps);
    EXPECT_TENSOR_CLOSE(v_of(ours, exact.angles.phi_t), v_of(truth, exact.angles.phi_t));
  }
}

// Clipping belongs to sampling: a teacher beyond [-1, 1] gives targets beyond it.
TEST(TeacherTarget, IsNotClipped) {
  const Denoiser bright = [](const Tensor& z, const Tensor& phi, const Condition&) {
    return predict(Output::x, at::full_like(z, 3.0), z, phi);
  };
  const Batch batch = batch_at(Schedule(), at::arange(8), 8);
  EXPECT_TENSOR_CLOSE(teacher_target(bright, batch).x, at::full_like(batch.z, 3.0));
}

TEST(TeacherTarget, HasNoGradientAndUsesTheConditionOfTheBatch) {
  const Tensor weight = test::random_normal({1}, 5).requires_grad_();
  int calls = 0;
  const Denoiser teacher = [&](const Tensor& z, const Tensor& phi, const Condition& condition) {
    ++calls;
    EXPECT_EQ(condition.labels[0].item<int64_t>(), 7);
    EXPECT_EQ(condition.guidance[0].item<float>(), 2.5f);
    return predict(Output::v, weight * z, z, phi);
  };
  Batch batch = batch_at(Schedule(), at::zeros({1}), 4);
  batch.condition = {.labels = at::full({1}, 7, at::kLong), .guidance = at::full({1}, 2.5)};
  const Prediction target = teacher_target(teacher, batch);
  EXPECT_EQ(calls, 2);
  EXPECT_FALSE(target.x.requires_grad());
  EXPECT_FALSE(target.eps.requires_grad());
}

TEST(DataObjective, TargetIsTheDataAndTheNoiseThatMadeZ) {
  const Batch batch = batch_at(Schedule(), at::arange(4), 4);
  const Prediction target = DataObjective(StudentOutput{}).target(batch);
  EXPECT_TENSOR_NEAR(target.x, batch.x, 0.0);
  EXPECT_TENSOR_NEAR(target.eps, batch.eps, 0.0);
}

// Returns a student that predicts exactly the targets of a teacher with `substeps` times its steps.
Denoiser perfect_student(const Denoiser& teacher, const Schedule& schedule, int64_t num_steps,
                         int64_t substeps = 2) {
  return [=](const Tensor& z, const Tensor& phi, const Condition& condition) {
    const Tensor step = (schedule.t(phi) * num_steps).round() - 1.0;
    Batch batch;
    batch.z = z;
    batch.angles = step_angles(schedule, step, num_steps, substeps);
    batch.condition = condition;
    return teacher_target(teacher, batch);
  };
}

// Halving from 16 steps to 1 without errors leaves the samples unchanged, and so does a direct
// distillation.
TEST(TeacherTarget, PerfectStudentsSampleWhatTheFirstTeacherDoes) {
  for (const auto& [name, schedule] : test::all_schedules()) {
    SCOPED_TRACE(name);
    const Tensor noise = test::random_normal({3, 1, 2, 2}, 4);
    const SampleOptions options{.clip_x = false};
    Denoiser model = arbitrary_teacher;
    const Tensor expected = sample(model, noise, sampling_grid(schedule, 16), {}, options);
    for (int64_t num_steps = 8; num_steps >= 1; num_steps /= 2) {
      model = perfect_student(model, schedule, num_steps);
      const Tensor x = sample(model, noise, sampling_grid(schedule, num_steps), {}, options);
      EXPECT_TENSOR_CLOSE(x, expected) << num_steps << " steps";
      const Denoiser at_once =
          perfect_student(arbitrary_teacher, schedule, num_steps, 16 / num_steps);
      EXPECT_TENSOR_CLOSE(sample(at_once, noise, sampling_grid(schedule, num_steps), {}, options),
                          expected)
          << num_steps << " steps at once";
    }
  }
}

}  // namespace
}  // namespace halfstep
