// halfstep resume.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "cli/command.h"
#include "cli/execute_run.h"
#include "cli/help.h"
#include "cli/values.h"
#include "halfstep/train/run_directory.h"
#include "halfstep/train/sharing.h"

namespace halfstep::cli {
namespace {

struct ResumeFlags {
  std::filesystem::path run;
  std::optional<int64_t> updates;
  std::optional<std::filesystem::path> data;
  std::optional<std::filesystem::path> features;
  ProcessFlags process;
};

// Returns the file of the run's feature network; none if it does not evaluate.
std::optional<std::filesystem::path> features_of(parallel::ProcessGroup& group,
                                                 const ResumeFlags& flags) {
  const RunOptions options = broadcast_options(
      group, group.is_rank_zero() ? RunDirectory(flags.run).options() : RunOptions{});
  if (flags.features || options.features.empty()) return flags.features;
  return options.features;
}

int run_resume(const ResumeFlags& flags) {
  c10::Device device = flags.process.compute.apply();
  const std::unique_ptr<parallel::ProcessGroup> group = join_processes(device);
  const std::unique_ptr<Evaluator> evaluator = load_evaluator(features_of(*group, flags));
  return execute_run(
      flags.process, device, *group, {}, evaluator.get(), [&](const RunSettings& settings) {
        return resume(flags.run, {.updates = flags.updates, .data = flags.data}, settings);
      });
}

}  // namespace

void add_resume(CLI::App& program, Action& action) {
  CLI::App* command =
      program.add_subcommand("resume", "Resume an interrupted run, with bit-identical results");
  command->footer(
      "Examples:\n"
      "  halfstep resume runs/00000-fashion-mnist-distill-32to4\n"
      "  halfstep resume runs/00001-photos-train --updates 400000 --data /mnt/photos.zip");
  auto flags = std::make_shared<ResumeFlags>();
  add_value(*command, "run", flags->run, "Folder of the run")->required()->type_name("RUN");
  command->option_defaults()->group(kTrainingGroup);
  add_value(*command, "--updates", flags->updates,
            "New total number of updates (only for training at a constant learning rate)");
  command->option_defaults()->group(kDataGroup);
  add_value(*command, "--data", flags->data, "New location of the data set, if it has moved")
      ->type_name("DATA");
  add_value(*command, "--features", flags->features,
            "New location of the feature network of --evaluate-every, if it has moved")
      ->type_name("FILE");
  flags->process.add_to(*command);
  command->get_option("--threads")
      ->description("CPU threads (default: the number that the run started with)");
  command->callback([&action, flags] { action = [flags] { return run_resume(*flags); }; });
}

}  // namespace halfstep::cli
