// Formats numbers for people to read.
#ifndef HALFSTEP_REPORT_WORDS_H_
#define HALFSTEP_REPORT_WORDS_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace halfstep::report {

// snprintf of one number.
std::string printed(const char* format, double value);

// 1234567 -> "1,234,567".
std::string grouped(int64_t value);

// Four significant digits, without an exponent from 1e-7 up: 0.00005, 0.01234, 12.35, 123,457.
std::string rounded(double value);

// Three significant digits and a metric prefix: 1.5e12, "FLOP" -> "1.5 TFLOP".
std::string with_prefix(double value, std::string_view unit);

// "0.25 s", "12.5 s", "2 min 05 s", "3 h 07 min".
std::string duration(double seconds);

// "1 update", "2 updates".
std::string counted(int64_t count, const std::string& noun);

}  // namespace halfstep::report

#endif  // HALFSTEP_REPORT_WORDS_H_
