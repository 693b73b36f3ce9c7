#ifndef HALFSTEP_TRAIN_LEARNING_RATE_H_
#define HALFSTEP_TRAIN_LEARNING_RATE_H_

#include <cstdint>

namespace halfstep {

// Returns the learning rate of update `update` (from 0) of a stage:
//   lr min(1, (update + 1) / warmup) max(0, 1 - update / anneal)
// warmup: updates of linear warm-up; 0: none. anneal: updates over which the rate falls linearly to
// 0; 0: constant. Salimans & Ho 2022 anneal every halving and warm up the teacher only; their
// code does not include this function.
inline double learning_rate(double lr, int64_t update, int64_t warmup, int64_t anneal) {
  double factor = 1.0;
  if (update + 1 < warmup) factor = static_cast<double>(update + 1) / static_cast<double>(warmup);
  if (anneal > 0) {
    const double left = 1.0 - static_cast<double>(update) / static_cast<double>(anneal);
    factor *= left > 0.0 ? left : 0.0;
  }
  return lr * factor;
}

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_LEARNING_RATE_H_
