#include "halfstep/report/axis.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace halfstep::report {
namespace {

using Ticks = std::vector<double>;

void expect_ticks(const Ticks& found, const Ticks& expected) {
  ASSERT_EQ(found.size(), expected.size()) << testing::PrintToString(found);
  for (size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], expected[i], 1e-12 * std::fabs(expected[i]) + 1e-300);
}

TEST(AxisPosition, IsLinearInTheValueOrItsLogarithm) {
  EXPECT_DOUBLE_EQ(axis_position(3.0, 1.0, 5.0, Scale::linear), 0.5);
  EXPECT_DOUBLE_EQ(axis_position(0.0, 1.0, 5.0, Scale::linear), -0.25) << "outside";
  EXPECT_DOUBLE_EQ(axis_position(10.0, 1.0, 100.0, Scale::log10), 0.5);
  EXPECT_DOUBLE_EQ(axis_position(2.0, 1.0, 16.0, Scale::log2), 0.25);
}

TEST(AxisPosition, OnALogarithmicScaleEqualFactorsAreEqualDistances) {
  for (const Scale scale : {Scale::log2, Scale::log10}) {
    const double first =
        axis_position(6.0, 3.0, 700.0, scale) - axis_position(3.0, 3.0, 700.0, scale);
    const double later =
        axis_position(600.0, 3.0, 700.0, scale) - axis_position(300.0, 3.0, 700.0, scale);
    EXPECT_NEAR(first, later, 1e-14);
    EXPECT_EQ(axis_position(3.0, 3.0, 700.0, scale), 0.0);
    EXPECT_EQ(axis_position(700.0, 3.0, 700.0, scale), 1.0);
  }
}

TEST(AxisTicks, AreMultiplesOfOneTwoOrFive) {
  expect_ticks(axis_ticks(0.0, 1.0, Scale::linear, 5), {0.0, 0.2, 0.4, 0.6, 0.8, 1.0});
  expect_ticks(axis_ticks(0.0, 30.0, Scale::linear, 5), {0.0, 10.0, 20.0, 30.0});
  expect_ticks(axis_ticks(0.0, 900.0, Scale::linear, 5), {0.0, 200.0, 400.0, 600.0, 800.0});
  expect_ticks(axis_ticks(-7.0, 7.0, Scale::linear, 3), {-5.0, 0.0, 5.0});
  expect_ticks(axis_ticks(0.0103, 0.0127, Scale::linear, 5),
               {0.0105, 0.011, 0.0115, 0.012, 0.0125});
  expect_ticks(axis_ticks(1e9, 3e9, Scale::linear, 4), {1e9, 1.5e9, 2e9, 2.5e9, 3e9});
}

TEST(AxisTicks, StayWithinTheLimitAndAreNeverEmpty) {
  for (const Scale scale : {Scale::linear, Scale::log2, Scale::log10}) {
    for (double low = 1e-6; low < 1e6; low *= 7.3) {
      for (double factor = 1.01; factor < 1e12; factor *= 1.9) {
        for (const int at_most : {3, 4, 7}) {
          const double high = low * factor;
          const Ticks found = axis_ticks(low, high, scale, at_most);
          EXPECT_GE(found.size(), 1u) << low << " to " << high;
          EXPECT_LE(found.size(), static_cast<size_t>(at_most) + 1) << low << " to " << high;
          for (const double tick : found) {
            EXPECT_GE(tick, low - 1e-8 * high);
            EXPECT_LE(tick, high + 1e-8 * high);
          }
        }
      }
    }
  }
}

TEST(AxisTicks, OfAnyTwoNumbersAreFewAndWithinThem) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const double numbers[] = {-kInfinity, -1.79e308, -1e250,      -1.0,        -1e-320,
                            0.0,        5e-324,    1e-308,      1e-250,      1e-12,
                            1.0 / 3,    1.0,       1.0 + 1e-15, 1e15,        9e15,
                            1e250,      1.7e308,   kInfinity,   std::nan("")};
  for (const Scale scale : {Scale::linear, Scale::log2, Scale::log10}) {
    for (const double low : numbers) {
      for (const double high : numbers) {
        const Ticks found = axis_ticks(low, high, scale, 5);
        EXPECT_LE(found.size(), 6u) << low << " to " << high;
        for (const double tick : found) {
          EXPECT_GE(axis_position(tick, low, high, scale), -1e-6) << low << " to " << high;
          EXPECT_LE(axis_position(tick, low, high, scale), 1.0 + 1e-6) << low << " to " << high;
        }
      }
    }
  }
  EXPECT_EQ(axis_ticks(-1e250, 1e250, Scale::linear, 5).size(), 5u);
  EXPECT_EQ(axis_ticks(1e-250, 1e250, Scale::log10, 5).size(), 5u);
}

TEST(CanBeDrawn, IsSaidOfNumbersThatDoNotOverflow) {
  for (const Scale scale : {Scale::linear, Scale::log2, Scale::log10}) {
    EXPECT_TRUE(can_be_drawn(1e250, scale));
    EXPECT_TRUE(can_be_drawn(1e-250, scale));
    EXPECT_FALSE(can_be_drawn(1.1e250, scale));
    EXPECT_FALSE(can_be_drawn(std::nan(""), scale));
    EXPECT_EQ(can_be_drawn(0.0, scale), scale == Scale::linear);
    EXPECT_EQ(can_be_drawn(-1e250, scale), scale == Scale::linear);
  }
}

TEST(AxisTicks, OnALogarithmicScaleArePowersOfTheBase) {
  expect_ticks(axis_ticks(1.0, 128.0, Scale::log2, 8), {1, 2, 4, 8, 16, 32, 64, 128});
  expect_ticks(axis_ticks(1.0, 128.0, Scale::log2, 4), {1, 4, 16, 64});
  expect_ticks(axis_ticks(3.0, 5.0, Scale::log2, 4), {3.0, 4.0, 5.0});
  expect_ticks(axis_ticks(1e-4, 10.0, Scale::log10, 5), {1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0});
}

TEST(AxisTicks, DivideDecadesIfThereAreFew) {
  expect_ticks(axis_ticks(2.0, 110.0, Scale::log10, 6), {2, 5, 10, 20, 50, 100});
  expect_ticks(axis_ticks(0.9, 110.0, Scale::log10, 5), {1, 3, 10, 30, 100});
  expect_ticks(axis_ticks(12.0, 19.0, Scale::log10, 4), {12, 14, 16, 18});
}

TEST(TickText, IsShort) {
  EXPECT_EQ(tick_text(0.0), "0");
  EXPECT_EQ(tick_text(0.05), "0.05");
  EXPECT_EQ(tick_text(0.00001), "1e-5");
  EXPECT_EQ(tick_text(2500.0), "2500");
  EXPECT_EQ(tick_text(20000.0), "20k");
  EXPECT_EQ(tick_text(-1500000.0), "-1.5M");
  EXPECT_EQ(tick_text(2.5e13), "2.5e13");
  EXPECT_EQ(tick_text(-1e300), "-1e300");
}

}  // namespace
}  // namespace halfstep::report
