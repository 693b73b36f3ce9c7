#ifndef HALFSTEP_TRAIN_TRAINING_ERROR_H_
#define HALFSTEP_TRAIN_TRAINING_ERROR_H_

#include <string_view>

#include "halfstep/core/error.h"

namespace halfstep {

// Training itself failed. The newest saved state of the run has finite numbers.
class TrainingError : public Error {
 public:
  enum class Reason {
    // Too many updates in a row had a loss or a gradient that was not finite, or the state itself
    // is not finite.
    not_finite,
    diverged  // a student ended its stage worse than it began, and on_divergence is stop
  };

  TrainingError(Reason reason, std::string_view what) : Error("run", what), reason_(reason) {}

  Reason reason() const { return reason_; }

 private:
  Reason reason_;
};

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_TRAINING_ERROR_H_
