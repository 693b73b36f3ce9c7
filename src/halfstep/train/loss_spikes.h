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
class LossSpikes {
 public:
  static constexpr size_t kWindow = 100;
  static constexpr size_t kLeast = 50;

  // Whether this loss (finite) is a spike; it is one of the losses before the next, either way.
  bool is_spike(double loss);

  // The losses before the next, oldest first: all the state there is.
  const std::vector<double>& recent() const { return recent_; }
  void restore(std::vector<double> recent) { recent_ = std::move(recent); }

  double median() const;  // of recent(); 0 where there is none

 private:
  std::vector<double> recent_;
};

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_LOSS_SPIKES_H_
