// Measures how much bfloat16 changes a distillation, on a fixed set of images.
//
//   halfstep_precision TEACHER DATA
//     For each N, prints the initial loss of a halving to N steps (the student is a copy of the
//     teacher), and the loss that a teacher in bfloat16 adds to the target.
//   halfstep_precision TEACHER DATA STUDENT...
//     Prints the loss of each student against the target of the float32 teacher.
//
// Everything else is computed in float32.
#include <ATen/core/grad_mode.h>

#include <cstdio>
#include <exception>
#include <memory>
#include <string>

#include "halfstep/data/loader.h"
#include "halfstep/data/open_dataset.h"
#include "halfstep/model/model_file.h"
#include "halfstep/objective/teacher_objective.h"
#include "halfstep/train/diffused_batch.h"
#include "halfstep/train/regression.h"

namespace {

using namespace halfstep;  // NOLINT(google-build-using-namespace): the program's own

constexpr int64_t kBatch = 128;
constexpr uint64_t kBatches = 4;

TeacherObjective objective_of(const Model& teacher, const Network& network, int64_t num_steps) {
  return {student_output(teacher.spec(), {}), make_denoiser(network, teacher.spec().output),
          num_steps};
}

// Returns the mean over the set of `loss(batch)`, which is one number per example.
template <class Loss>
double mean_over(const data::Dataset& dataset, const ModelSpec& spec, const Objective& objective,
                 const Loss& loss) {
  const BatchPlan plan = batch_plan(spec, {.seed = 1});
  double sum = 0.0;
  for (uint64_t update = 0; update < kBatches; ++update) {
    const data::ExampleBatch images =
        data::load_batch(dataset, {.seed = 2, .batch_size = kBatch}, update);
    const Batch batch = diffuse_examples(images, 0, kBatch, draws_of(objective), plan, at::kCPU);
    sum += loss(batch).mean().template item<double>();
  }
  return sum / static_cast<double>(kBatches);
}

double loss_of(const Model& student, const Model& teacher, const data::Dataset& dataset,
               int64_t num_steps) {
  const TeacherObjective objective = objective_of(teacher, teacher.network(), num_steps);
  return mean_over(dataset, teacher.spec(), objective, [&](const Batch& batch) {
    const Tensor raw = student.network().forward(batch.z, batch.angles.phi_t, batch.condition);
    return objective.loss(raw, objective.target(batch), batch);
  });
}

// Returns the loss that the rounding of a bfloat16 teacher adds to the target.
double rounding_loss(const Model& teacher, const data::Dataset& dataset, int64_t num_steps) {
  const std::unique_ptr<Network> rounded = teacher.network().clone();
  rounded->set_precision(Precision::bf16);
  const TeacherObjective exact = objective_of(teacher, teacher.network(), num_steps);
  const TeacherObjective inexact = objective_of(teacher, *rounded, num_steps);
  return mean_over(dataset, teacher.spec(), exact, [&](const Batch& batch) {
    const Tensor raw = own_output(teacher.spec().output, inexact.target(batch), batch.angles.phi_t);
    return exact.loss(raw, exact.target(batch), batch);
  });
}

int run(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: halfstep_precision TEACHER DATA [STUDENT...]\n");
    return 2;
  }
  const at::NoGradGuard no_grad;
  const LoadOptions exact = {.precision = PrecisionChoice::fp32};
  const Model teacher = Model::load(argv[1], exact);
  const auto dataset = data::open_dataset(argv[2], {});
  for (int i = 3; i < argc; ++i) {
    const Model student = Model::load(argv[i], exact);
    std::printf("%s: N = %lld, loss %.6g\n", argv[i],
                static_cast<long long>(student.spec().sampling.num_steps),
                loss_of(student, teacher, *dataset, student.spec().sampling.num_steps));
  }
  if (argc > 3) return 0;
  std::printf("%6s %14s %14s %10s\n", "N", "initial loss", "bf16 teacher", "ratio");
  for (int64_t n = 1; n <= 1024; n *= 2) {
    const double change = loss_of(teacher, teacher, *dataset, n);
    const double rounding = rounding_loss(teacher, *dataset, n);
    std::printf("%6lld %14.4g %14.4g %10.4f\n", static_cast<long long>(n), change, rounding,
                rounding / change);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "halfstep_precision: error: %s\n", error.what());
    return 1;
  }
}
