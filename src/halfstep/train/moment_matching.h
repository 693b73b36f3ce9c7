// The method of moment matching (objective/moment_matching.h): two networks are trained at once,
// the student and the auxiliary.
//
//   examples -> z_t -> student -> x~ -> z_s -> auxiliary, teacher -> both losses -> both optimizers
//
// One forward call of each network serves both losses: an update costs 7 forward calls, where the
// alternation of the paper costs 10.
#ifndef HALFSTEP_TRAIN_MOMENT_MATCHING_H_
#define HALFSTEP_TRAIN_MOMENT_MATCHING_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "halfstep/diffusion/denoiser.h"
#include "halfstep/diffusion/parameterization.h"
#include "halfstep/diffusion/schedule.h"
#include "halfstep/parallel/gradient_reducer.h"
#include "halfstep/train/diffused_batch.h"
#include "halfstep/train/method.h"
#include "halfstep/train/options.h"

namespace halfstep {

struct MomentMatchingOptions {
  BatchPlan batch;
  int64_t microbatch = 0;  // examples per network call; 0: the whole batch
  int64_t num_steps = 1;   // of the student
  Schedule schedule = Schedule();
  Output output = Output::v;
  // The student's samples are clipped to [-1, 1], as those of images are when it is sampled.
  bool clip_x = true;
  double peak_lr = 2e-4;
  // Adam with beta1 = 0 and beta2 = 0.99 (the paper's), since the direction of the student changes
  // with the auxiliary.
  OptimizerOptions student;
  OptimizerOptions auxiliary;
  // The first updates train the auxiliary alone; in as many more, the student's learning rate rises
  // to the given one.
  int64_t auxiliary_updates = 20;
};

// Returns the settings of a model's updates. Without options.ema_decay, the EMA of the student has
// a decay of 0.98: its direction is noisy.
MomentMatchingOptions moment_matching_options(const ModelSpec& spec, const UpdateOptions& options,
                                              double peak_lr, int64_t num_steps);

class MomentMatching final : public Method {
 public:
  // The networks must outlive it, and the teacher what it calls. The auxiliary should start with
  // the teacher's weights, and so may the student.
  MomentMatching(Denoiser teacher, Network& student, Network& auxiliary,
                 const MomentMatchingOptions& options);

  void reduce_over(parallel::ProcessGroup& group, int64_t bucket = parallel::kBucketSize) override;

  // The loss that it reports is the auxiliary's. The learning rate of the auxiliary is 3 max(lr,
  // peak_lr / 5), because it must keep up with the student, and to the end. An update in which
  // anything is not finite changes neither network.
  UpdateReport update(const UpdateExamples& examples, double lr) override;
  std::vector<TrainedNetwork> trained() override {
    return {{"student", &student_, &student_optimizer_},
            {"auxiliary", &auxiliary_, &auxiliary_optimizer_}};
  }

 private:
  Tensor add_gradients(const BatchDraws& draws, int64_t batch_size, bool moves_student, bool last);

  Denoiser teacher_;
  Network& student_;
  Network& auxiliary_;
  MomentMatchingOptions options_;
  Optimizer student_optimizer_;
  Optimizer auxiliary_optimizer_;
  DeviceGraph graph_;                                           // of updates that move the student
  std::unique_ptr<parallel::GradientReducer> student_reducer_;  // null for one process
  std::unique_ptr<parallel::GradientReducer> auxiliary_reducer_;
};

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_MOMENT_MATCHING_H_
