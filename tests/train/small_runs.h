// Runs small enough for a test, and an observer that remembers.
#ifndef HALFSTEP_TESTS_TRAIN_SMALL_RUNS_H_
#define HALFSTEP_TESTS_TRAIN_SMALL_RUNS_H_

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "halfstep/data/raw_dataset.h"
#include "halfstep/train/plan.h"
#include "halfstep/train/regression.h"
#include "halfstep/train/run.h"
#include "tests/io/temporary_folder.h"

namespace halfstep::test {

// Images 1 x 8 x 8 of smooth shades, two classes that differ; another seed, other images.
std::shared_ptr<data::RawDataset> small_dataset(int64_t size = 12, uint64_t seed = 0);

// 8 updates of 4 images with EMA, dropout, labels and label dropout; states and lines every 2.
RunOptions small_training();

// 8 -> 4 -> 2 steps, 4 updates and 6; `teacher` is what small_teacher() wrote.
RunOptions small_distillation();

// As small_distillation, the teacher's output eps converted to v first in 3 updates.
RunOptions small_conversion();

// 8 -> 2 steps at once in 6 updates, from `small_init()`.
RunOptions small_refinement();

// A teacher for small_distillation, every parameter random.
Model small_teacher();

// A student for small_refinement: another network of the same kind.
Model small_init();

// A new run's folder under `outdir`, for a distillation the teacher copied in, and the student that
// it begins with.
RunDirectory start_run(const std::filesystem::path& outdir, const RunOptions& options);

// The process dies after this update, so to say.
struct Killed : std::runtime_error {
  Killed() : std::runtime_error("killed") {}
};

class Recorder : public TrainObserver {
 public:
  void on_message(std::string_view message) override { messages.emplace_back(message); }
  void on_update(const UpdateRecord& record) override;
  void on_begin(const std::filesystem::path& /*folder*/, int64_t total_updates) override {
    begins.push_back(total_updates);
  }
  void on_stats(const StatsLine& line) override { lines.push_back(line); }
  void on_stage_end(const std::filesystem::path& folder, const Model& model) override;

  bool received(std::string_view part) const;

  std::optional<size_t> stop_at;  // asks for an end after this many updates
  std::optional<size_t> kill_at;  // throws Killed after this many
  std::atomic<bool> stop = false;
  std::vector<std::string> messages;
  std::vector<int64_t> begins;  // where execute began, each time
  std::vector<UpdateRecord> records;
  std::vector<StatsLine> lines;
  std::vector<std::filesystem::path> folders;
  std::vector<int64_t> finished_steps;  // num_steps of each finished model
};

Outcome run(const RunDirectory& directory, Recorder& recorder,
            std::shared_ptr<const data::Dataset> dataset = small_dataset());

// The same by several processes, which are threads of the test (tests/parallel/run_ranks.h): what
// each failed with, by rank; empty where it finished.
std::vector<std::string> run_by(int processes, const RunDirectory& directory,
                                std::shared_ptr<const data::Dataset> dataset = small_dataset());

// stats.jsonl without what is never the same twice: the timing.
std::vector<nlohmann::json> stats_of(const RunDirectory& directory);

// Whether the finished models of two runs and their statistics are the same, bit for bit.
void expect_same_end(const RunDirectory& a, const RunDirectory& b);

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_TRAIN_SMALL_RUNS_H_
