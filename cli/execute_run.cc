#include "cli/execute_run.h"

#include <cstdio>
#include <string>

#include "cli/command_line.h"
#include "cli/help.h"
#include "cli/process.h"
#include "cli/progress.h"
#include "cli/values.h"
#include "halfstep/core/error.h"
#include "halfstep/metrics/run_evaluator.h"
#include "halfstep/parallel/launch_environment.h"
#include "halfstep/report/tensorboard.h"
#include "halfstep/train/observers.h"

namespace halfstep::cli {

void ProcessFlags::add_to(CLI::App& command) {
  command.option_defaults()->group(kOutputGroup);
  add_value(command, "--grid-images", grid_images,
            "Images in the samples.png of each finished stage (0: no picture)");
  command.option_defaults()->group(kComputeGroup);
  compute.add_to(command);
}

void add_features(CLI::App& command, std::optional<std::filesystem::path>& features) {
  command.option_defaults()->group(kMeasurementGroup);
  add_value(command, "--features", features,
            "With --evaluate-every: the feature network, a .safetensors file made for halfstep "
            "(see models/features) or a TorchScript .pt file")
      ->type_name("FILE");
}

std::unique_ptr<Evaluator> load_evaluator(const std::optional<std::filesystem::path>& features) {
  return features ? std::make_unique<metrics::RunEvaluator>(*features) : nullptr;
}

int execute_run(const ProcessFlags& flags, const c10::Device& device, parallel::ProcessGroup& group,
                const std::filesystem::path& outdir, Evaluator* evaluator,
                const std::function<RunResult(const RunSettings&)>& run) {
  if (flags.grid_images < 0 || flags.grid_images > flags.kMostGridImages) {
    throw ConfigError("--grid-images", "expected 0 to " + std::to_string(flags.kMostGridImages) +
                                           ", received " + std::to_string(flags.grid_images));
  }
  ProgressLine progress;
  report::StageGrid grid(flags.grid_images);
  report::TensorBoardEvents events;
  Observers observers({&progress, &grid, &events});
  const RunResult result =
      run(RunSettings{.outdir = outdir,
                      .device = device,
                      .threads = flags.compute.threads,
                      .observer = &observers,
                      .evaluator = evaluator,
                      .stop = stop_on_interrupt(),
                      .group = &group,
                      .command = command_line(),
                      .restarted = parallel::launch_environment().restarts > 0});
  if (result.outcome == Outcome::interrupted) {
    if (group.is_rank_zero())
      std::fprintf(stderr, "to continue: halfstep resume %s\n", result.folder.c_str());
    return kInterrupted;
  }
  if (group.is_rank_zero()) std::printf("%s\n", result.model_file.c_str());
  return kDone;
}

}  // namespace halfstep::cli
