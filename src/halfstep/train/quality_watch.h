// Follows the evaluations of a stage: which state is the best, and what begins to go wrong.
#ifndef HALFSTEP_TRAIN_QUALITY_WATCH_H_
#define HALFSTEP_TRAIN_QUALITY_WATCH_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "halfstep/train/quality.h"

namespace halfstep {

struct QualityWatch {
  // Samples drift when their pixel mean, or their deviation, is further from that of the data than
  // at the best evaluation in that respect by more than this share of the data's deviation: 2.7 of
  // 255 levels on Fashion-MNIST. The one drift that we have seen, of a variant of moment matching,
  // moved the mean there by 3 to 5 levels.
  static constexpr double kDrift = 0.03;
  // Samples collapse when the distance is above this multiple of the least one, at kInARow
  // evaluations one after the other: a loss as from 4 steps to 2, which costs the Fashion-MNIST
  // students a factor of 1.4. A single bad state may pass while the learning rate is high.
  static constexpr double kCollapse = 1.5;
  static constexpr int64_t kInARow = 2;

  // Adds the evaluation after `update` updates of the stage. Returns a warning for each of these
  // that begins with it: the mean drifts, the deviation drifts, the samples collapse or are not
  // finite. A warning is given again only after an evaluation without its reason.
  std::vector<std::string> add(int64_t update, const Quality& quality);

  int64_t evaluated = 0;    // update of the last evaluation; 0: none
  int64_t best_update = 0;  // update of the least distance, the first of equal ones; 0: none
  double best_distance = 0.0;
  // The least |mean - data_mean| and |deviation - data_deviation| of the stage.
  std::optional<double> least_mean_error = std::nullopt;
  std::optional<double> least_deviation_error = std::nullopt;
  int64_t bad_in_a_row = 0;  // evaluations above kCollapse or not finite, until now
  bool mean_drifts = false;
  bool deviation_drifts = false;
  bool not_finite = false;

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("evaluated", self.evaluated, "an integer");
    visit("best_update", self.best_update, "an integer");
    visit("best_distance", self.best_distance, "a number");
    visit("least_mean_error", self.least_mean_error, "a number or null");
    visit("least_deviation_error", self.least_deviation_error, "a number or null");
    visit("bad_in_a_row", self.bad_in_a_row, "an integer");
    visit("mean_drifts", self.mean_drifts, "true or false");
    visit("deviation_drifts", self.deviation_drifts, "true or false");
    visit("not_finite", self.not_finite, "true or false");
  }
};

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_QUALITY_WATCH_H_
