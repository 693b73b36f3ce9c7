// What bfloat16 costs a distillation, on a fixed set of images, in float32 but for the network
// named.
//
//   halfstep_precision TEACHER DATA
//     for each N: the loss that a copy of the teacher starts from, which is what a halving to N
//     changes, and the loss that the rounding of a bfloat16 teacher adds
//   halfstep_precision TEACHER DATA STUDENT...
//     the loss of each student against the target of the float32 teacher
#include <ATen/core/grad_mode.h>

#include <cstdio>
#include <exception>
#include <memory>
#include <string>

#include "halfstep/data/loader.h"
#include "halfstep/data/open_dataset.h"
#include "halfstep/diffusion/target.h"
#include "halfstep/model/model_file.h"
#include "halfstep/train/update.h"

namespace {

using namespace halfstep;  // NOLINT(google-build-using-namespace): the program's own

constexpr int64_t kBatch = 128;
constexpr uint64_t kBatches = 4;

// The mean over the set of `loss(batch)`, one number an example.
template <class Loss>
double mean_over(const data::Dataset& dataset, const UpdatePlan& plan, const Loss& loss) {
  double sum = 0.0;
  for (uint64_t update = 0; update < kBatches; ++update) {
    const data::ImageBatch images =
        data::load_batch(dataset, {.seed = 2, .batch_size = kBatch}, update);
    sum += loss(diffuse_images(images, 0, kBatch, plan, at::kCPU)).mean().template item<double>();
  }
  return sum / static_cast<double>(kBatches);
}

double loss_of(const Model& student, const Model& teacher, const data::Dataset& dataset,
               int64_t num_steps) {
  const UpdatePlan plan = plan_update(teacher.spec(), {.seed = 1}, num_steps);
  const TeacherTarget target(make_denoiser(teacher.network(), teacher.spec().output));
  return mean_over(dataset, plan, [&](const Batch& batch) {
    const Tensor raw = student.network().forward(batch.z, batch.phi_t, batch.condition);
    return weighted_loss(plan.output, plan.weighting, raw, target.of(batch), batch.phi_t);
  });
}

// The loss that the rounding of a bfloat16 teacher adds to the target.
double rounding_loss(const Model& teacher, const data::Dataset& dataset, int64_t num_steps) {
  const UpdatePlan plan = plan_update(teacher.spec(), {.seed = 1}, num_steps);
  const std::unique_ptr<Network> rounded = teacher.network().clone();
  rounded->set_precision(Precision::bf16);
  const TeacherTarget exact(make_denoiser(teacher.network(), teacher.spec().output));
  const TeacherTarget inexact(make_denoiser(*rounded, teacher.spec().output));
  return mean_over(dataset, plan, [&](const Batch& batch) {
    const Tensor raw = own_output(plan.output, inexact.of(batch), batch.phi_t);
    return weighted_loss(plan.output, plan.weighting, raw, exact.of(batch), batch.phi_t);
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
  std::printf("%6s %14s %14s %10s\n", "N", "to be learnt", "bf16 teacher", "ratio");
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
