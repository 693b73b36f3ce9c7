// Detects losses far above the recent losses of a stage.
#ifndef HALFSTEP_TRAIN_LOSS_SPIKES_H_
#define HALFSTEP_TRAIN_LOSS_SPIKES_H_

#include <cstddef>
#include <vector>

namespace halfstep {

// A loss is a spike if
//   loss > 2 median   and   loss > median + 10 * 1.4826 * median |loss - median|,
// with medians over the last kWindow losses of the stage (at least kLeast). For normal losses the
// second bound is ten standard deviations. Medians keep spikes in the window from hiding others.
struct LossSpikes {
  static constexpr size_t kWindow = 100;
  static constexpr size_t kLeast = 50;

  // Returns whether this loss, which must be finite, is a spike, and adds it to `recent`.
  bool is_spike(double loss);

  // Returns the median of the recent losses; 0 if there are none.
  double median() const;

  std::vector<double> recent;  // the last losses, at most kWindow, oldest first
};

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_LOSS_SPIKES_H_
