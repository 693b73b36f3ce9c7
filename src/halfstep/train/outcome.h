#ifndef HALFSTEP_TRAIN_OUTCOME_H_
#define HALFSTEP_TRAIN_OUTCOME_H_

namespace halfstep {

// How a run ended, other than by an error.
enum class Outcome {
  finished,
  interrupted  // its StopToken was set; the state is saved
};

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_OUTCOME_H_
