// A training method: which networks an update changes, and how.
#ifndef HALFSTEP_TRAIN_METHOD_H_
#define HALFSTEP_TRAIN_METHOD_H_

#include <string>
#include <vector>

#include "halfstep/nn/network.h"
#include "halfstep/parallel/gradient_reducer.h"
#include "halfstep/train/optimizer.h"
#include "halfstep/train/uploading_loader.h"

namespace halfstep {

struct UpdateReport {
  double loss = 0.0;       // mean over the batch
  double grad_norm = 0.0;  // before clipping
  bool skipped = false;    // the loss or the gradient was not finite: nothing was changed
};

// A network that a method trains, with its optimizer. Everything that an update changes is in the
// optimizer's state, which a run saves under the name and resumes from.
struct TrainedNetwork {
  std::string name;
  Network* network;
  Optimizer* optimizer;
};

class Method {
 public:
  virtual ~Method() = default;

  // Makes every later update one of all processes of the group, each with its shard of the
  // examples. The group must outlive the method. `bucket`: gradient elements per message.
  virtual void reduce_over(parallel::ProcessGroup& group,
                           int64_t bucket = parallel::kBucketSize) = 0;

  // Makes one update with these examples. Where several processes share the run, each calls it with
  // its shard of the update's examples; the result has the same bits in all of them.
  virtual UpdateReport update(const UpdateExamples& examples, double lr) = 0;

  // Returns the networks that are trained, the student first: its EMA is the model that is saved.
  virtual std::vector<TrainedNetwork> trained() = 0;
};

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_METHOD_H_
