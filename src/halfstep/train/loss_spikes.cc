#include "halfstep/train/loss_spikes.h"

#include <algorithm>
#include <cmath>

namespace halfstep {
namespace {

constexpr double kTimesMedian = 2.0;
constexpr double kDeviations = 10.0;
constexpr double kDeviationOfMad = 1.4826;  // normal standard deviation / median deviation

// Returns the median; the upper of the two middle values if their number is even.
double median_of(std::vector<double> values) {
  if (values.empty()) return 0.0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

double LossSpikes::median() const { return median_of(recent); }

bool LossSpikes::is_spike(double loss) {
  bool spike = false;
  if (recent.size() >= kLeast) {
    const double middle = median();
    std::vector<double> deviations;
    for (const double before : recent) deviations.push_back(std::abs(before - middle));
    spike = loss > kTimesMedian * middle &&
            loss > middle + kDeviations * kDeviationOfMad * median_of(std::move(deviations));
  }
  if (recent.size() == kWindow) recent.erase(recent.begin());
  recent.push_back(loss);
  return spike;
}

}  // namespace halfstep
