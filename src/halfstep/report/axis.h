// Linear and logarithmic axes: places and ticks.
#ifndef HALFSTEP_REPORT_AXIS_H_
#define HALFSTEP_REPORT_AXIS_H_

#include <string>
#include <vector>

namespace halfstep::report {

enum class Scale { linear, log2, log10 };

// Where a value lies between low (0) and high (1): (v - low) / (high - low), of logarithms on a
// logarithmic scale. low < high, and all positive where there are logarithms.
double axis_position(double value, double low, double high, Scale scale);

// At most about `at_most`, 3 or more, round values from low to high: multiples of 1, 2 or 5 times a
// power of ten; on a logarithmic scale powers of its base, every one or every second, third ...;
// decades too few to read from are divided by 1, 2, 5 or 1, 3, or evenly where not even those are
// three.
std::vector<double> axis_ticks(double low, double high, Scale scale, int at_most);

// What a tick is called: 0.05, 250, 20k, 1.5M.
std::string tick_text(double value);

}  // namespace halfstep::report

#endif  // HALFSTEP_REPORT_AXIS_H_
