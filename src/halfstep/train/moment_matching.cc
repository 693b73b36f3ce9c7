#include "halfstep/train/moment_matching.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "halfstep/device/to_host.h"
#include "halfstep/diffusion/ancestral.h"
#include "halfstep/objective/moment_matching.h"
#include "halfstep/train/learning_rate.h"

namespace halfstep {
namespace {

// Of the student's learning rate. An auxiliary network as slow as the student lags behind it: the
// student overshoots and loses diversity (docs/decisions/034).
constexpr double kAuxiliaryLr = 3.0;
constexpr double kLeastLr = 0.2;  // of the peak, for the auxiliary network
constexpr double kEmaDecay = 0.98;

}  // namespace

MomentMatchingOptions moment_matching_options(const ModelSpec& spec, const UpdateOptions& options,
                                              double peak_lr, int64_t num_steps) {
  const OptimizerOptions optimizer{.beta1 = 0.0,
                                   .beta2 = 0.99,
                                   .weight_decay = options.weight_decay,
                                   .grad_clip = options.grad_clip};
  MomentMatchingOptions result{.batch = batch_plan(spec, options),
                               .microbatch = options.microbatch,
                               .num_steps = num_steps,
                               .schedule = Schedule(spec.schedule),
                               .output = spec.output,
                               .clip_x = is_image(spec.network),
                               .peak_lr = peak_lr,
                               .student = optimizer,
                               .auxiliary = optimizer};
  result.student.ema_decay = options.ema_decay > 0.0 ? options.ema_decay : kEmaDecay;
  result.student.ema_warmup = options.ema_warmup;
  return result;
}

MomentMatching::MomentMatching(Denoiser teacher, Network& student, Network& auxiliary,
                               const MomentMatchingOptions& options)
    : teacher_(std::move(teacher)),
      student_(student),
      auxiliary_(auxiliary),
      options_(options),
      student_optimizer_(student, options.student),
      auxiliary_optimizer_(auxiliary, options.auxiliary),
      graph_(student.is_capturable()) {}

void MomentMatching::reduce_over(parallel::ProcessGroup& group, int64_t bucket) {
  graph_.disable();  // the gradients are sent while the backward pass runs
  student_reducer_ = std::make_unique<parallel::GradientReducer>(
      group, student_, student_optimizer_.gradient(), bucket);
  auxiliary_reducer_ = std::make_unique<parallel::GradientReducer>(
      group, auxiliary_, auxiliary_optimizer_.gradient(), bucket);
}

UpdateReport MomentMatching::update(const UpdateExamples& examples, double lr) {
  // Of the student, counting this one.
  const int64_t updates = auxiliary_optimizer_.state().updates + 1 - options_.auxiliary_updates;
  const bool moves_student = updates > 0;
  const int64_t microbatch = options_.microbatch > 0 ? options_.microbatch : examples.count;
  const at::Device device = student_.parameters().front().tensor.device();
  Tensor total = at::zeros({}, at::TensorOptions().dtype(at::kDouble).device(device));
  DeviceGraph no_graph(/*capturable=*/false);  // for the few updates of the auxiliary alone
  for (int64_t first = 0; first < examples.count; first += microbatch) {
    const int64_t count = std::min(microbatch, examples.count - first);
    const BatchDraws draws = draw_batch(
        examples, first, count,
        [&](const std::vector<RandomKey>& keys) {
          return moment_angles(options_.schedule, options_.num_steps, keys);
        },
        options_.batch, device);
    const bool last = first + count == examples.count;
    total += compute_on(device, moves_student ? graph_ : no_graph, draws,
                        [&](const BatchDraws& on_device) {
                          return add_gradients(on_device, examples.batch_size, moves_student, last);
                        });
  }
  if (auxiliary_reducer_) total = auxiliary_reducer_->finish(total);
  if (student_reducer_ && moves_student) student_reducer_->finish(at::zeros_like(total));
  const std::vector<double> numbers =
      to_host({total, student_optimizer_.gradient_norm(), auxiliary_optimizer_.gradient_norm()});
  const UpdateReport report{.loss = numbers[0],
                            .grad_norm = numbers[1],
                            .skipped = !std::isfinite(numbers[1]) || !std::isfinite(numbers[2])};
  if (report.skipped) {
    auxiliary_optimizer_.skip();
    student_optimizer_.skip();
    return report;
  }
  auxiliary_optimizer_.step(kAuxiliaryLr * std::max(lr, kLeastLr * options_.peak_lr), numbers[2]);
  if (moves_student) {
    student_optimizer_.step(
        learning_rate(lr, updates - 1, /*warmup=*/options_.auxiliary_updates, /*anneal=*/0),
        numbers[1]);
  } else {
    student_optimizer_.skip();
  }
  return report;
}

// Adds the gradients of examples and returns their share of the auxiliary's loss, on the device.
// Each term is divided by the whole batch, so that shards add up like microbatches. `last`: no
// other examples of this update follow.
Tensor MomentMatching::add_gradients(const BatchDraws& draws, int64_t batch_size,
                                     bool moves_student, bool last) {
  const auto share = [&](const Tensor& loss) {
    return loss.sum() / static_cast<double>(batch_size);
  };
  const Batch batch = diffuse(draws);
  const Tensor& phi_t = batch.angles.phi_t;
  const Tensor& phi_s = batch.angles.phi_s;

  Tensor sample;
  {
    const at::AutoGradMode mode(moves_student);
    const Tensor raw = student_.forward(batch.z, phi_t, batch.condition);
    sample = predict(options_.output, raw, batch.z, phi_t).x;
  }
  // Without clipping, a student would surround pixels of -1 by noise whose mean is right only until
  // the sampler clips it. The gradient passes to the sample as if it were not clipped.
  const Tensor fixed = options_.clip_x ? sample.detach().clamp(-1.0, 1.0) : sample.detach();
  const Tensor noise = keyed_normal(draws.step_noise, batch.z.sizes(), batch.z.device());
  const Tensor z_s = ancestral_step(batch.z, fixed, phi_t, phi_s, /*variance=*/0.0, noise);
  Prediction teacher;
  {
    const at::NoGradGuard no_grad;
    teacher = teacher_(z_s, phi_s, batch.condition);
  }
  const Tensor raw = auxiliary_.forward(z_s, phi_s, batch.condition);
  const Tensor loss = share(auxiliary_loss(options_.output, raw, z_s, phi_s, fixed, teacher));
  if (auxiliary_reducer_ && last) auxiliary_reducer_->begin();
  loss.backward();
  if (moves_student) {
    const Tensor x = predict(options_.output, raw.detach(), z_s, phi_s).x;
    if (student_reducer_ && last) student_reducer_->begin();
    share(moment_loss(sample, x, teacher.x)).backward();
  }
  return loss.detach();
}

}  // namespace halfstep
