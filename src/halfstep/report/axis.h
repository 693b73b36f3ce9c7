// Positions and ticks on linear and logarithmic axes.
#ifndef HALFSTEP_REPORT_AXIS_H_
#define HALFSTEP_REPORT_AXIS_H_

#include <string>
#include <vector>

namespace halfstep::report {

enum class Scale { linear, log2, log10 };

// Returns whether a value can be drawn: it is finite, not larger than 1e250 in size, and on a
// logarithmic scale at least 1e-250. So no arithmetic of a chart overflows.
bool can_be_drawn(double value, Scale scale);

// Returns the position of a value between low (0) and high (1): (v - low) / (high - low), or the
// same of the logarithms. Requires low < high, and values that can be drawn.
double axis_position(double value, double low, double high, Scale scale);

// Returns at most about `at_most` (3 or more) round values from low to high. On a linear scale
// these are multiples of 1, 2 or 5 times a power of ten; on a logarithmic scale, every power of the
// base or every second, third, ... one. Where that gives too few ticks, decades are divided at 1,
// 2, 5 or at 1, 3, and a range that is shorter still is divided evenly. Returns none for a range
// that is empty, or so short or far from zero that doubles cannot divide it.
std::vector<double> axis_ticks(double low, double high, Scale scale, int at_most);

// Returns the label of a tick: 0.05, 250, 20k, 1.5M, 2e13.
std::string tick_text(double value);

}  // namespace halfstep::report

#endif  // HALFSTEP_REPORT_AXIS_H_
