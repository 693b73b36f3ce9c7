#include "halfstep/report/words.h"

#include <gtest/gtest.h>

namespace halfstep::report {
namespace {

TEST(Words, LargeNumbersAreGroupedByThousands) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(-999), "-999");
  EXPECT_EQ(grouped(-1234567), "-1,234,567");
}

TEST(Words, RoundedKeepsFourDigitsAndWritesNoExponentForLargeNumbers) {
  EXPECT_EQ(rounded(0.0123456), "0.01235");
  EXPECT_EQ(rounded(12.3456), "12.35");
  EXPECT_EQ(rounded(999.4), "999.4");
  EXPECT_EQ(rounded(999.6), "1,000");
  EXPECT_EQ(rounded(123456.7), "123,457");
  EXPECT_EQ(rounded(0.0), "0");
  EXPECT_EQ(rounded(0.000123456), "0.0001235");
  EXPECT_EQ(rounded(-0.00005), "-0.00005");
  EXPECT_EQ(rounded(3e-9), "3e-09");
}

TEST(Words, PrefixesAreThousands) {
  EXPECT_EQ(with_prefix(0.0, "FLOP"), "0 FLOP");
  EXPECT_EQ(with_prefix(999.0, "FLOP"), "999 FLOP");
  EXPECT_EQ(with_prefix(999.6, "FLOP"), "1 kFLOP");
  EXPECT_EQ(with_prefix(1.5e12, "FLOP"), "1.5 TFLOP");
  EXPECT_EQ(with_prefix(1e24, "FLOP"), "1e+03 ZFLOP");
}

TEST(Words, DurationsHaveTwoUnits) {
  EXPECT_EQ(duration(0.04), "0.04 s");
  EXPECT_EQ(duration(9.996), "10.0 s");
  EXPECT_EQ(duration(59.9), "59.9 s");
  EXPECT_EQ(duration(59.96), "1 min 00 s");
  EXPECT_EQ(duration(125.0), "2 min 05 s");
  EXPECT_EQ(duration(3599.4), "59 min 59 s");
  EXPECT_EQ(duration(3600.0), "1 h 00 min");
  EXPECT_EQ(duration(11220.0), "3 h 07 min");
  EXPECT_EQ(duration(1e300), "1e+300 s");
}

TEST(Words, OneIsSingular) {
  EXPECT_EQ(counted(1, "update"), "1 update");
  EXPECT_EQ(counted(0, "update"), "0 updates");
  EXPECT_EQ(counted(50000, "update"), "50,000 updates");
}

}  // namespace
}  // namespace halfstep::report
