// One stage in memory: its networks, its method, its learning rate. It reads and writes no files.
#ifndef HALFSTEP_TRAIN_STAGE_TRAINING_H_
#define HALFSTEP_TRAIN_STAGE_TRAINING_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "halfstep/data/dataset.h"
#include "halfstep/data/loader.h"
#include "halfstep/nn/network.h"
#include "halfstep/parallel/process_group.h"
#include "halfstep/train/divergence.h"
#include "halfstep/train/method.h"
#include "halfstep/train/options.h"
#include "halfstep/train/regression.h"

namespace halfstep {

// Returns the precision that the networks of a stage compute in.
Precision stage_precision(const RunOptions& options, const Stage& stage, const at::Device& device);

// Moves the network to the device and sets the precision that this stage computes in.
void compute_as_stage(Network& network, const RunOptions& options, const Stage& stage,
                      const at::Device& device);

class StageTraining {
 public:
  // Both networks must be prepared by compute_as_stage(). `teacher` is null if the stage calls
  // none. Optimizers start with zero moments.
  StageTraining(const RunOptions& options, const Stage& stage, std::unique_ptr<Network> teacher,
                std::unique_ptr<Network> student);

  Method& method() { return *method_; }
  const Network* teacher() const { return teacher_.get(); }

  // Sums the gradients of every later update over the processes of the group, which must outlive
  // this object. Does nothing for a group of one process.
  void reduce_over(parallel::ProcessGroup& group);

  // Returns the optimizers' states by the names of their networks, without the last `undone`
  // updates, all of which were skipped. The tensors are the optimizers' own.
  std::map<std::string, OptimizerState> states(int64_t undone);
  // Returns whether every optimizer has made just this many updates.
  bool has_made(int64_t updates);

  // Returns the learning rate of update `update`, counted from 0.
  double lr(int64_t update) const;

  // Measures two students of a stage of regression on the batches of the updates from
  // `first_update` on, which the run must not train on.
  StageLosses losses(const Network& initial, const Network& trained, const data::Dataset& dataset,
                     uint64_t first_update) const;

 private:
  const RunOptions& options_;
  const Stage& stage_;
  std::unique_ptr<Network> teacher_;
  std::unique_ptr<Network> student_;
  std::unique_ptr<Network> auxiliary_;  // of moment matching
  std::unique_ptr<Method> method_;
  const Regression* regression_ = nullptr;  // the method, unless it is moment matching
};

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_STAGE_TRAINING_H_
