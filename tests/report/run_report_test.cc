#include "halfstep/report/run_report.h"

#include <gtest/gtest.h>

#include "halfstep/core/error.h"
#include "halfstep/io/file.h"
#include "halfstep/report/run_facts.h"
#include "halfstep/report/run_sections.h"
#include "tests/support/expect_throws.h"
#include "tests/train/small_runs.h"

namespace halfstep::report {
namespace {

using metrics::EvaluationResult;
using test::Recorder;

bool contains(const std::string& page, const std::string& words) {
  return page.find(words) != std::string::npos;
}

class RunReportTest : public testing::Test {
 protected:
  io::TemporaryFolder folder;

  // Runs a distillation (stages of 4 and 6 updates, one line every 2) and stops after `updates`.
  RunDirectory distillation(size_t updates) const {
    const RunDirectory directory = test::start_run(folder / "runs", test::small_distillation());
    Recorder recorder;
    recorder.stop_at = updates;
    test::run(directory, recorder);
    return directory;
  }
};

TEST_F(RunReportTest, FactsOfAFinishedRunMatchItsStats) {
  const RunDirectory directory = distillation(100);
  const RunFacts facts = gather_facts(directory);
  const std::vector<StatsLine> lines = read_stats(directory.path() / "stats.jsonl");
  ASSERT_EQ(facts.stages.size(), 2u);
  EXPECT_TRUE(facts.finished());
  EXPECT_EQ(facts.updates_done(), 10);
  EXPECT_EQ(facts.stages[0].lines.size(), 2u);
  EXPECT_EQ(facts.stages[1].lines.size(), 3u);
  EXPECT_DOUBLE_EQ(facts.stages[0].seconds, lines[1].seconds);
  EXPECT_DOUBLE_EQ(facts.stages[1].seconds, lines[4].seconds - lines[1].seconds);
  EXPECT_DOUBLE_EQ(facts.seconds(), lines[4].seconds);
  const double of_an_image = network_cost(directory.options().model.network).flops;
  const auto images = static_cast<double>(facts.stages[0].stage.updates * 4);
  EXPECT_DOUBLE_EQ(facts.flops_of(facts.stages[0]), 5.0 * of_an_image * images);
  StageFacts conversion = facts.stages[0];
  conversion.stage = {.kind = StageKind::convert};
  EXPECT_DOUBLE_EQ(facts.flops_of(conversion), 3.0 * of_an_image * images);
  EXPECT_EQ(facts.fingerprint["device"], "cpu");
  EXPECT_FALSE(contains(run_report(directory, {}), "Unfinished"));
  EXPECT_FALSE(contains(run_report(directory, {}), "Quality while training"));
}

TEST_F(RunReportTest, ARunWithoutUpdatesHasAPage) {
  const std::string page =
      run_report(test::start_run(folder / "runs", test::small_distillation()), {});
  EXPECT_TRUE(
      contains(page, "Unfinished: 0 of 10 updates recorded. 8 \u2192 4 steps has not begun."));
  EXPECT_TRUE(contains(page, "No updates have been recorded yet."));
  EXPECT_TRUE(contains(page, "No state has been saved yet."));
  EXPECT_FALSE(contains(page, "<img"));
  EXPECT_FALSE(contains(page, "Distance"));
  EXPECT_FALSE(contains(page, "nan"));
}

TEST_F(RunReportTest, ARunOfAGuidedTeacherSaysSo) {
  const std::string page =
      run_report(test::start_run(folder / "runs", test::small_guidance_range()), {});
  EXPECT_TRUE(
      contains(page, "guidance 1-5, 8 \u2192 4 \u2192 2 sampling steps, 2 halvings, 13 updates"));
}

TEST_F(RunReportTest, AnUnfinishedRunShowsItsProgress) {
  const std::string page = run_report(distillation(7), {});
  EXPECT_TRUE(contains(page, "Unfinished: 6 of 10 updates recorded."))
      << "the last line is of update 6";
  EXPECT_FALSE(contains(page, "8 \u2192 4 steps is at")) << "that stage has finished";
  EXPECT_TRUE(contains(page, "4 \u2192 2 steps is at update 2."));
  EXPECT_TRUE(contains(page, "2 of 6"));
}

TEST_F(RunReportTest, AnyLossHasAPage) {
  const RunDirectory directory = distillation(100);
  const std::filesystem::path file = directory.path() / "stats.jsonl";
  const std::string stats = io::read_file(file);
  const size_t begin = stats.find("\"loss\":") + 7;
  const size_t end = stats.find_first_of(",}", begin);
  for (const char* loss : {"1e308", "-1e308", "1e-300", "-0.0", "null"}) {
    io::write_file(file, stats.substr(0, begin) + loss + stats.substr(end));
    const std::string page = run_report(directory, {});
    EXPECT_LT(page.size(), 100'000u) << loss;
    EXPECT_FALSE(contains(page, "nan")) << loss;
  }
}

TEST_F(RunReportTest, StatsOfAnotherRunAreRefused) {
  const RunDirectory directory = distillation(100);
  const std::filesystem::path file = directory.path() / "stats.jsonl";
  const std::string stats = io::read_file(file);
  const size_t line = stats.find('\n') + 1;
  io::write_file(file, stats + stats.substr(0, line));
  test::expect_throws<FormatError>({"stats.jsonl", "in order", "update 2 of stage 0"},
                                   [&] { run_report(directory, {}); });
  const std::string key = "\"update\":";
  const size_t number = stats.find(key) + key.size();
  io::write_file(file, stats.substr(0, number) + "9223372036854775807" +
                           stats.substr(stats.find_first_of(",}", number)));
  test::expect_throws<FormatError>({"stats.jsonl", "9223372036854775807"},
                                   [&] { run_report(directory, {}); });
}

TEST_F(RunReportTest, ALongLogIsCutToItsEnd) {
  const RunDirectory directory = distillation(2);
  for (int i = 0; i < 20'000; ++i) directory.log("message number " + std::to_string(i));
  const std::string page = environment_section(gather_facts(directory)).markup;
  EXPECT_LT(page.size(), 500'000u);
  EXPECT_TRUE(contains(page, "[earlier lines are in log.txt]\n"));
  EXPECT_FALSE(contains(page, "message number 0\n"));
  EXPECT_TRUE(contains(page, "message number 19999\n"));
}

TEST_F(RunReportTest, ShowsTheCommandThatMadeTheRun) {
  const RunDirectory directory = test::start_run(folder / "runs", test::small_training());
  EXPECT_FALSE(contains(run_report(directory, {}), "command that made"));
  directory.write_command("halfstep train --data 'a <b>'");
  EXPECT_TRUE(
      contains(run_report(directory, {}), "halfstep train --data &#39;a &lt;b&gt;&#39;</pre>"));
}

TEST_F(RunReportTest, ChangedSettingsComeBeforeDefaults) {
  const std::string page =
      settings_section(gather_facts(test::start_run(folder / "runs", test::small_training())))
          .markup;
  const size_t fold = page.find("other settings");
  ASSERT_NE(fold, std::string::npos);
  for (const char* changed : {"batch", "ema_decay", "warmup", "label_dropout", "updates", "seed"})
    EXPECT_LT(page.find("<code>" + std::string(changed) + "</code>"), fold) << changed;
  for (const char* unchanged : {"microbatch", "grad_clip", "weighting", "workers"}) {
    const size_t found = page.find("<code>" + std::string(unchanged) + "</code>");
    EXPECT_NE(found, std::string::npos) << unchanged;
    EXPECT_GT(found, fold) << unchanged;
  }
  EXPECT_TRUE(contains(page, "<code>network.ch</code>"));
}

EvaluationFile evaluation_of(std::vector<EvaluationResult> results) {
  return {.results = std::move(results)};
}

EvaluationResult result_of(const std::string& samples, int64_t steps, int64_t made_for,
                           double frechet) {
  return {.samples = samples,
          .num = 100,
          .steps = steps,
          .evaluations = steps,
          .sampler = Sampler::ddim,
          .spacing = Spacing::time,
          .made_for_steps = made_for,
          .frechet_name = "FD-x",
          .frechet = frechet};
}

int lines_in(const std::string& page) {
  const size_t begin = page.find("<ul class=\"legend\">");
  const std::string legend = page.substr(begin, page.find("</ul>", begin) - begin);
  int items = 0;
  for (size_t at = legend.find("<li>"); at != std::string::npos; at = legend.find("<li>", at + 1))
    ++items;
  return items;
}

TEST(DistanceSection, JoinsTheStudentsOfARunAndSeparatesOthers) {
  const std::vector<EvaluationResult> results = {
      result_of("runs/a/stage-0004", 4, 4, 3.0),
      result_of("runs/a/stage-0002/model.safetensors", 2, 2, 5.0),
      result_of("runs/a/stage-0001/", 1, 1, 9.0)};
  const std::string joined = distance_section({evaluation_of(results)}).markup;
  EXPECT_EQ(lines_in(joined), 1);
  EXPECT_TRUE(contains(joined, "distilled, ddim</li>"));

  std::vector<EvaluationResult> more = results;
  more.push_back(result_of("runs/a/stage-0004", 8, 4, 4.0));  // forced to other steps
  more.push_back(result_of("runs/b/stage-0004", 4, 4, 3.5));  // another run
  more.push_back(result_of("models/teacher", 4, 0, 40.0));
  more.push_back(result_of("models/teacher", 8, 0, 20.0));
  more.push_back(result_of("models/teacher", 8, 0, 18.0));
  more.back().sampler = Sampler::heun;
  more.push_back(result_of("models/teacher", 8, 0, 19.0));
  more.back().spacing = Spacing::logsnr;
  const std::string apart = distance_section({evaluation_of(more)}).markup;
  EXPECT_EQ(lines_in(apart), 6);
  for (const char* name : {"distilled, a, ddim, time</li>", "distilled, b, ddim, time</li>",
                           "stage-0004, ddim, time</li>", "teacher, ddim, time</li>",
                           "teacher, heun, time</li>", "teacher, ddim, logsnr</li>"}) {
    EXPECT_TRUE(contains(apart, name)) << name;
  }
}

TEST(DistanceSection, ResultsThatAreNotComparableHaveTheirOwnChart) {
  EvaluationFile first = evaluation_of({result_of("a", 4, 0, 3.0), result_of("a", 8, 0, 2.0)});
  EvaluationFile second = first;
  EXPECT_EQ(distance_section({first, second}).markup.find("<table>"),
            distance_section({first, second}).markup.rfind("<table>"));
  second.features_sha256 = "other";
  const std::string page = distance_section({first, second}).markup;
  EXPECT_NE(page.find("<table>"), page.rfind("<table>"));
}

TEST(DistanceSection, ImagesWithoutAModelAppearInTheTableOnly) {
  const std::string page =
      distance_section({evaluation_of({{.samples = "x.npz", .num = 10, .frechet = 1.25}})}).markup;
  EXPECT_TRUE(contains(page, "x.npz"));
  EXPECT_TRUE(contains(page, "1.25"));
  EXPECT_FALSE(contains(page, "<svg"));
  EXPECT_FALSE(contains(page, "sampler")) << "a column without values";
  EXPECT_EQ(distance_section({}).markup, "");
}

}  // namespace
}  // namespace halfstep::report
