#include "cli/bench_report.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "halfstep/io/fields.h"

namespace halfstep::cli {
namespace {

using io::to_json_value;
using nlohmann::json;

json to_json(const MemoryUse& memory) {
  return {{"operation", to_json_value(memory.operation)},
          {"networks", memory.networks},
          {"peak", memory.peak},
          {"update_adds", memory.update_adds}};
}

json to_json(const BenchResult& result) {
  return {{"operation", to_json_value(result.operation)},
          {"steps", to_json_value(result.steps)},
          {"batch", result.batch},
          {"median_ms", result.median_ms},
          {"min_ms", result.min_ms},
          {"images_per_second", result.images_per_second},
          {"gflops", to_json_value(result.gflops)},
          {"share_of_peak", to_json_value(result.share_of_peak)}};
}

void print_line(const char* name, const std::string& value) {
  std::printf("%-12s%s\n", name, value.c_str());
}

// Returns a number with four digits and no exponent, or "?" if it is unknown.
std::string rounded(std::optional<double> value) {
  if (!value) return "?";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), *value < 1e3 ? "%.4g" : "%.0f", *value);
  return text.data();
}

void print(const BenchResult& result) {
  const std::optional<double> percent =
      result.share_of_peak ? std::optional(std::round(100.0 * *result.share_of_peak))
                           : std::nullopt;
  std::printf("%-10s%6s%6s%12s%12s%12s%12s%9s%%\n", std::string(name_of(result.operation)).c_str(),
              result.steps ? std::to_string(*result.steps).c_str() : "",
              std::to_string(result.batch).c_str(), rounded(result.median_ms).c_str(),
              rounded(result.min_ms).c_str(), rounded(result.images_per_second).c_str(),
              rounded(result.gflops).c_str(), rounded(percent).c_str());
}

}  // namespace

json to_json(const BenchReport& report) {
  json results = json::array();
  for (const BenchResult& result : report.results) results.push_back(to_json(result));
  return {{"subject", report.subject},
          {"version", report.version},
          {"libtorch", report.libtorch},
          {"device", report.device},
          {"threads", report.threads},
          {"cpu_capability", report.cpu_capability},
          {"precision", to_json_value(report.precision)},
          {"parameters", report.parameters},
          {"forward_gflop", to_json_value(report.forward_gflop)},
          {"convolution_peak_gflops", report.convolution_peak_gflops},
          {"runs", report.runs},
          {"memory_mib", report.memory ? to_json(*report.memory) : json(nullptr)},
          {"results", std::move(results)}};
}

void print(const BenchReport& report) {
  print_line("subject", report.subject);
  print_line("on", report.device + ", " + std::to_string(report.threads) + " threads, " +
                       report.cpu_capability + ", " + std::string(name_of(report.precision)));
  print_line("parameters", std::to_string(report.parameters));
  print_line("forward", rounded(report.forward_gflop) + " GFLOP per image");
  print_line("peak", rounded(report.convolution_peak_gflops) + " GFLOP/s in convolutions");
  if (report.memory) {
    print_line("memory", rounded(report.memory->networks) + " MiB with the networks loaded, " +
                             rounded(report.memory->peak) + " MiB at the peak; an update (" +
                             std::string(name_of(report.memory->operation)) + ") adds " +
                             rounded(report.memory->update_adds) + " MiB");
  }
  std::printf("\n%-10s%6s%6s%12s%12s%12s%12s%10s\n", "", "steps", "batch", "median ms", "min ms",
              "images/s", "GFLOP/s", "of peak");
  for (const BenchResult& result : report.results) print(result);
}

}  // namespace halfstep::cli
