// Moment matching (Salimans, Mensink, Heek and Hoogeboom 2024, arXiv:2406.04103): the student's
// samples should look to the teacher as the data do.
//
//   z_t = cos(phi_t) x + sin(phi_t) eps        x from the data; t on the student's grid
//   x~  = the student's x at (z_t, phi_t)      its sample
//   z_s ~ q(z_s | z_t, x~)                     ancestral_step with variance 0; s within the step
//
// An auxiliary network learns E[x~ | z_s], which is what a denoiser of the student's samples is.
// The student moves its samples along auxiliary(z_s) - teacher(z_s), and rests where both are
// equal: where its samples have the conditional means of the data. So it learns a distribution, not
// the teacher's trajectories, and is sampled by the ancestral sampler with variance 0.
#ifndef HALFSTEP_OBJECTIVE_MOMENT_MATCHING_H_
#define HALFSTEP_OBJECTIVE_MOMENT_MATCHING_H_

#include <cstdint>
#include <vector>

#include "halfstep/core/random.h"
#include "halfstep/core/tensor.h"
#include "halfstep/diffusion/parameterization.h"
#include "halfstep/diffusion/schedule.h"

namespace halfstep {

// Draws the step of each example, one per key: i ~ U{0, ..., num_steps - 1},
// phi_t = phi((i + 1) / num_steps), and phi_s = phi(s) for s ~ U(i / num_steps, (i + 1) /
// num_steps). There are no phi_m. A pure function of the keys, of which it also uses the next site.
StepAngles moment_angles(const Schedule& schedule, int64_t num_steps,
                         const std::vector<RandomKey>& keys);

// Returns the loss of the auxiliary network for each example, [B]: the mean over all elements of
//   (SNR_s + 1) ((x~ - x_A)^2 + (x_T - x_A)^2)
// where `raw` is its output at (z_s, phi_s), `sample` is x~ and `teacher` the teacher's prediction
// there. The second term keeps it near the teacher.
Tensor auxiliary_loss(Output output, const Tensor& raw, const Tensor& z_s, const Tensor& phi_s,
                      const Tensor& sample, const Prediction& teacher);

// Returns a loss of each example, [B], whose gradient with respect to the student's sample x~ is
//   w (x_A - x_T) / (number of elements),   w = 1 / max(mean |x~ - x_T|, 0.01)
// The value means nothing. x_A and x_T are the x of auxiliary and teacher at z_s, without gradient.
Tensor moment_loss(const Tensor& sample, const Tensor& auxiliary, const Tensor& teacher);

}  // namespace halfstep

#endif  // HALFSTEP_OBJECTIVE_MOMENT_MATCHING_H_
