// The results of `halfstep bench` as JSON and as text.
#ifndef HALFSTEP_CLI_BENCH_REPORT_H_
#define HALFSTEP_CLI_BENCH_REPORT_H_

#include <nlohmann/json_fwd.hpp>

#include "cli/measure.h"

namespace halfstep::cli {

// Returns what `bench --json` writes (docs/cli.md). Unknown values are null.
nlohmann::json to_json(const BenchReport& report);

// Prints the report to stdout as a table.
void print(const BenchReport& report);

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_BENCH_REPORT_H_
