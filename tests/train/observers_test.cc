#include "halfstep/train/observers.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/model/small_models.h"

namespace halfstep {
namespace {

// Writes its name and what it is called with into a list that several share.
class Writer final : public TrainObserver {
 public:
  Writer(std::string name, std::vector<std::string>& calls)
      : name_(std::move(name)), calls_(calls) {}

  void on_begin(const std::filesystem::path& folder, int64_t total_updates) override {
    add("begin " + folder.string() + " " + std::to_string(total_updates));
  }
  void on_message(std::string_view message) override { add("message " + std::string(message)); }
  void on_update(const UpdateRecord& record) override {
    add("update " + std::to_string(record.update));
  }
  void on_stats(const StatsLine& line) override { add("stats " + std::to_string(line.update)); }
  void on_teacher(const std::filesystem::path& folder, const Model& /*teacher*/,
                  const std::vector<int64_t>& num_steps, std::optional<double> guidance) override {
    add("teacher " + folder.string() + " " + std::to_string(num_steps.at(0)) + " " +
        std::to_string(guidance.value()));
  }
  void on_snapshot(const std::filesystem::path& folder, const Model& /*model*/,
                   int64_t total_updates) override {
    add("snapshot " + folder.string() + " " + std::to_string(total_updates));
  }
  void on_stage_end(const std::filesystem::path& folder, const Model& /*model*/) override {
    add("end " + folder.string());
  }

 private:
  void add(const std::string& call) { calls_.push_back(name_ + ": " + call); }

  std::string name_;
  std::vector<std::string>& calls_;
};

TEST(Observers, PassEveryCallToEachInOrder) {
  std::vector<std::string> calls;
  Writer a("a", calls);
  Writer b("b", calls);
  Observers both({&a, &b});
  const Model model = test::small_model();
  both.on_begin("run", 1);
  both.on_message("m");
  both.on_update({.update = 2});
  both.on_stats({.update = 3});
  both.on_teacher("run", model, {4}, 5.0);
  both.on_snapshot("run", model, 6);
  both.on_stage_end("run", model);
  const std::vector<std::string> expected = {
      "begin run 1",    "message m", "update 2", "stats 3", "teacher run 4 5.000000",
      "snapshot run 6", "end run"};
  ASSERT_EQ(calls.size(), 2 * expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(calls[2 * i], "a: " + expected[i]);
    EXPECT_EQ(calls[2 * i + 1], "b: " + expected[i]);
  }
}

}  // namespace
}  // namespace halfstep
