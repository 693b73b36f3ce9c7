#include "halfstep/train/quality_watch.h"

#include <algorithm>
#include <cmath>

#include "halfstep/train/journal.h"

namespace halfstep {
namespace {

// Returns whether a drift begins with `error`, and records in `drifts` whether there is one.
bool drift_begins(double error, double tolerance, std::optional<double>& least, bool& drifts) {
  const bool drifted = drifts;
  drifts = least && error > *least + tolerance;
  least = std::min(least.value_or(error), error);
  return drifts && !drifted;
}

std::string drift_of(const char* what, double samples, double data) {
  return "the samples drift: their pixel " + std::string(what) + " is now " +
         three_digits(samples) + ", that of the data " + three_digits(data);
}

}  // namespace

std::vector<std::string> QualityWatch::add(int64_t update, const Quality& quality) {
  evaluated = update;
  std::vector<std::string> begun;
  const bool was_not_finite = not_finite;
  not_finite = !quality.distance;
  if (not_finite) {
    if (!was_not_finite) begun.emplace_back("the samples are not finite");
    return begun;
  }
  const double distance = *quality.distance;
  const bool bad = best_update > 0 && distance > kCollapse * best_distance;
  bad_in_a_row = bad ? bad_in_a_row + 1 : 0;
  if (bad_in_a_row == kInARow) {
    begun.push_back("the samples collapse: " + quality.distance_name + " is " +
                    three_digits(distance) + ", " + three_digits(distance / best_distance) +
                    " times that of update " + std::to_string(best_update));
  }
  if (best_update == 0 || distance < best_distance) {
    best_update = update;
    best_distance = distance;
  }
  const double tolerance = kDrift * quality.data_deviation;
  if (drift_begins(std::abs(quality.pixel_mean - quality.data_mean), tolerance, least_mean_error,
                   mean_drifts)) {
    begun.push_back(drift_of("mean", quality.pixel_mean, quality.data_mean));
  }
  if (drift_begins(std::abs(quality.pixel_deviation - quality.data_deviation), tolerance,
                   least_deviation_error, deviation_drifts)) {
    begun.push_back(drift_of("deviation", quality.pixel_deviation, quality.data_deviation));
  }
  return begun;
}

}  // namespace halfstep
