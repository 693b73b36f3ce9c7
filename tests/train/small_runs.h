// Runs small enough for a test, and an observer that records its calls.
#ifndef HALFSTEP_TESTS_TRAIN_SMALL_RUNS_H_
#define HALFSTEP_TESTS_TRAIN_SMALL_RUNS_H_

#include <c10/core/Device.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "halfstep/data/raw_dataset.h"
#include "halfstep/train/plan.h"
#include "halfstep/train/regression.h"
#include "halfstep/train/run.h"
#include "tests/io/temporary_folder.h"

namespace halfstep::test {

// Returns images 1 x 8 x 8 of smooth shades in two classes; `seed` selects the images.
std::shared_ptr<data::RawDataset> small_dataset(int64_t size = 12, uint64_t seed = 0);

// Returns a training of 8 updates of 4 images with EMA, dropout, labels and label dropout. It
// writes a state and a line of statistics every 2 updates.
RunOptions small_training();

// Returns a distillation 8 -> 4 -> 2 steps of small_teacher(), with 4 and 6 updates.
RunOptions small_distillation();

// Returns small_distillation() with a conversion of the teacher to v in 3 updates before it.
RunOptions small_conversion();

// Returns small_distillation() of the guided teacher, which a stage of 3 updates learns before it.
// Its weight is 3 (fixed) or an input, from 1 to 5.
RunOptions small_guidance();
RunOptions small_guidance_range();

// Returns a direct distillation 8 -> 2 steps in 6 updates that starts from small_init().
RunOptions small_refinement();

// Returns a moment matching to 2 steps from small_init() in 26 updates, of which the first 20 train
// the auxiliary alone.
RunOptions small_matching();

// Returns small_distillation() with a moment matching of 24 updates after it.
RunOptions small_chain();

// Returns small_training() and small_chain() of a model that fills in missing pixels.
RunOptions small_inpainting();
RunOptions small_inpainting_chain();

// Returns a teacher for small_inpainting_chain() with random parameters.
Model small_inpainter();

// Returns a teacher for small_distillation() with random parameters.
Model small_teacher();

// Returns a student for small_refinement(): the network of the teacher with other parameters.
Model small_init();

// Makes a run's folder under `outdir`, with the teacher and init models that it needs.
RunDirectory start_run(const std::filesystem::path& outdir, const RunOptions& options);

// Writes the hashes of the models in the run's folder into its options.
void record_models(const RunDirectory& directory);

// Thrown by Recorder to simulate the death of the process. It is no std::exception, so that nothing
// reacts to it.
struct Killed {};

class Recorder : public TrainObserver {
 public:
  void on_message(std::string_view message) override { messages.emplace_back(message); }
  void on_update(const UpdateRecord& record) override;
  void on_begin(const std::filesystem::path& /*folder*/, int64_t total_updates) override {
    begins.push_back(total_updates);
  }
  void on_stats(const StatsLine& line) override { lines.push_back(line); }
  void on_stage_end(const std::filesystem::path& folder, const Model& model) override;

  // Returns whether a message contains `part`.
  bool received(std::string_view part) const;

  std::optional<size_t> stop_at;  // requests a stop after this many updates
  std::optional<size_t> kill_at;  // throws Killed after this many updates
  std::atomic<bool> stop = false;
  std::vector<std::string> messages;
  std::vector<int64_t> begins;  // total_updates at each start
  std::vector<UpdateRecord> records;
  std::vector<StatsLine> lines;
  std::vector<std::filesystem::path> folders;
  std::vector<int64_t> finished_steps;  // num_steps of each finished model
};

// Executes the run in this process.
Outcome run(const RunDirectory& directory, Recorder& recorder,
            std::shared_ptr<const data::Dataset> dataset = small_dataset(),
            const c10::Device& device = at::kCPU);

// Executes the run in several ranks, which are threads of the test (tests/parallel/run_ranks.h).
// Returns the error message of each rank; empty if it finished.
std::vector<std::string> run_by(int processes, const RunDirectory& directory,
                                std::shared_ptr<const data::Dataset> dataset = small_dataset(),
                                const c10::Device& device = at::kCPU);

// Expects that two processes train the same model as one process with two microbatches. `folder`
// gets both runs; `model` is the model's folder in a run.
void expect_two_processes_equal_one(const std::filesystem::path& folder, RunOptions options,
                                    const std::string& model, const c10::Device& device = at::kCPU);

// Returns the lines of stats.jsonl without their times.
std::vector<nlohmann::json> stats_of(const RunDirectory& directory);

// Expects the same bits in the finished models and the statistics of two runs.
void expect_same_end(const RunDirectory& a, const RunDirectory& b);

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_TRAIN_SMALL_RUNS_H_
