// What train, distill and resume share: the flags that concern the process, and the execution of a
// run with its progress line, grids and event files.
#ifndef HALFSTEP_CLI_EXECUTE_RUN_H_
#define HALFSTEP_CLI_EXECUTE_RUN_H_

#include <c10/core/Device.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "cli/command.h"
#include "halfstep/parallel/process_group.h"
#include "halfstep/report/stage_grid.h"
#include "halfstep/train/distill.h"
#include "halfstep/train/evaluator.h"

namespace halfstep::cli {

struct ProcessFlags {
  static constexpr int64_t kMostGridImages = 4096;
  int64_t grid_images = report::StageGrid::kImages;
  ComputeFlags compute;

  void add_to(CLI::App& command);
};

// Adds --features, the feature network of the run's evaluations.
void add_features(CLI::App& command, std::optional<std::filesystem::path>& features);

// Returns the evaluator with these features; null without a file.
std::unique_ptr<Evaluator> load_evaluator(const std::optional<std::filesystem::path>& features);

// Calls `run`, one of train(), distill() and resume(), with the settings that the flags give, and
// prints what came of it. Returns the exit code.
int execute_run(const ProcessFlags& flags, const c10::Device& device, parallel::ProcessGroup& group,
                const std::filesystem::path& outdir, Evaluator* evaluator,
                const std::function<RunResult(const RunSettings&)>& run);

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_EXECUTE_RUN_H_
