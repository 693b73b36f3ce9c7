// An objective says what a student learns: at which angles, towards which pair (x, eps), and with
// which loss.
//
// Training from data and every form of distillation by regression is one update; only the objective
// differs. Objectives are pure: a batch and keys in, tensors out.
#ifndef HALFSTEP_OBJECTIVE_OBJECTIVE_H_
#define HALFSTEP_OBJECTIVE_OBJECTIVE_H_

#include <utility>
#include <vector>

#include "halfstep/core/random.h"
#include "halfstep/core/tensor.h"
#include "halfstep/diffusion/denoiser.h"
#include "halfstep/diffusion/parameterization.h"
#include "halfstep/diffusion/schedule.h"
#include "halfstep/diffusion/weighting.h"

namespace halfstep {

// A diffused batch: z = cos(phi_t) x + sin(phi_t) eps.
struct Batch {
  Tensor x;           // data, [B, ...]; images are in [-1, 1]
  Tensor eps;         // noise, like x
  Tensor z;           // like x
  StepAngles angles;  // phi_t; phi_m and phi_s only where the objective has steps
  Condition condition;
};

// How the student's output is read and how its residual is weighted.
struct StudentOutput {
  Schedule schedule = Schedule();
  Output output = Output::v;
  Weighting weighting = Weighting::snr_trunc;
};

class Objective {
 public:
  explicit Objective(StudentOutput student) : student_(std::move(student)) {}
  virtual ~Objective() = default;

  // Draws the angles of a batch, one example per key. A pure function of the keys.
  virtual StepAngles draw_angles(const std::vector<RandomKey>& keys) const = 0;

  // Returns the pair (x, eps) that the student's prediction at (z, phi_t) should equal. It carries
  // no gradient.
  virtual Prediction target(const Batch& batch) const = 0;

  // Returns the loss of each example, [B], of the student's raw output against the target.
  Tensor loss(const Tensor& raw, const Prediction& target, const Batch& batch) const {
    return weighted_loss(student_.output, student_.weighting, raw, target, batch.angles.phi_t);
  }

  const StudentOutput& student() const { return student_; }

 private:
  StudentOutput student_;
};

}  // namespace halfstep

#endif  // HALFSTEP_OBJECTIVE_OBJECTIVE_H_
