#include "halfstep/train/stats.h"

#include <gtest/gtest.h>

#include "halfstep/core/error.h"
#include "halfstep/io/fields.h"
#include "halfstep/io/file.h"
#include "tests/support/expect_throws.h"
#include "tests/train/small_runs.h"

namespace halfstep {
namespace {

TEST(Stats, FileHoldsTheLinesThatTheObserverReceived) {
  const io::TemporaryFolder folder;
  const RunDirectory directory = test::start_run(folder / "runs", test::small_distillation());
  test::Recorder recorder;
  ASSERT_EQ(test::run(directory, recorder), Outcome::finished);
  const std::vector<StatsLine> lines = read_stats(directory.path() / "stats.jsonl");
  ASSERT_EQ(lines.size(), 5u);  // 4 updates and 6, a line every 2
  ASSERT_EQ(recorder.lines.size(), lines.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(io::fields_to_json(lines[i]), io::fields_to_json(recorder.lines[i]));
    EXPECT_EQ(lines[i].total_updates, static_cast<int64_t>(2 * i + 2));
  }
  EXPECT_EQ(lines[1].num_steps, 4);
  EXPECT_EQ(lines[2].num_steps, 2);
  EXPECT_EQ(lines[2].update, 2);
  EXPECT_EQ(lines[4].grad_norm, recorder.records.back().grad_norm);
}

TEST(Stats, OnlyLinesOfAnEvaluationHaveOne) {
  const io::TemporaryFolder folder;
  StatsLine line{.update = 10, .total_updates = 10};
  EXPECT_FALSE(to_json(line).contains("evaluation"));
  const std::string without = to_json(line).dump();
  line.quality = {.distance_name = "FD-X", .distance = 0.5, .data_mean = 72.0, .best_update = 10};
  io::write_file(folder / "stats.jsonl", without + "\n" + to_json(line).dump() + "\n");
  const std::vector<StatsLine> lines = read_stats(folder / "stats.jsonl");
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_FALSE(lines[0].quality);
  ASSERT_TRUE(lines[1].quality);
  EXPECT_EQ(to_json(lines[1]), to_json(line));
  EXPECT_EQ(lines[1].quality->best_distance, std::nullopt);
}

TEST(Stats, NullHasNoValueAndAnIncompleteLineIsSkipped) {
  const io::TemporaryFolder folder;
  const std::string line =
      R"({"num_steps":0,"update":1,"total_updates":1,"loss":null,"grad_norm":null,"lr":0.1,)"
      R"("skipped":1,"images_per_second":2.5,"seconds":4})";
  io::write_file(folder / "stats.jsonl", line + "\n" + line.substr(0, 20));
  const std::vector<StatsLine> lines = read_stats(folder / "stats.jsonl");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_FALSE(lines[0].loss.has_value());
  EXPECT_FALSE(lines[0].grad_norm.has_value());
  EXPECT_EQ(lines[0].seconds, 4.0);
  EXPECT_TRUE(read_stats(folder / "absent.jsonl").empty());
}

TEST(Stats, MalformedLineIsNamed) {
  const io::TemporaryFolder folder;
  for (const char* wrong : {"nonsense", R"({"update":"x"})", R"({"updates":1})"}) {
    io::write_file(folder / "stats.jsonl", std::string("{}\n") + wrong + "\n");
    test::expect_throws<FormatError>({"stats.jsonl", "line 2"},
                                     [&] { read_stats(folder / "stats.jsonl"); });
  }
}

}  // namespace
}  // namespace halfstep
