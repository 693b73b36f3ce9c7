// Losses that jump out of what a stage's losses were just before.
#ifndef HALFSTEP_TRAIN_LOSS_SPIKES_H_
#define HALFSTEP_TRAIN_LOSS_SPIKES_H_

#include <cstddef>
#include <vector>

namespace halfstep {

// A loss is a spike where, of the kWindow losses of the stage before it (kLeast at least),
//   loss > 2 median   and   loss > median + 10 * 1.4826 * median |loss - median|,
// the latter being ten standard deviations if losses were normal; medians, so that spikes in the
// window do not hide others.
struct LossSpikes {
  static constexpr size_t kWindow = 100;
  static constexpr size_t kLeast = 50;

  // Whether this loss (finite) is a spike; it is one of the losses before the next, either way.
  bool is_spike(double loss);

  double median() const;  // of the recent ones; 0 where there is none

  std::vector<double> recent;  // the losses before the next, oldest first
};

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_LOSS_SPIKES_H_
