// halfstep report: where it writes the page, and what it refuses.
#include <gtest/gtest.h>

#include "tests/cli/workspace.h"

namespace halfstep::cli {
namespace {

const char* const kEvaluation = HALFSTEP_SOURCE_DIR "/tests/report/made_up_evaluation.json";

class ReportTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(succeeds(run(workspace.train(workspace / "runs", {"--updates", "2"}))));
    folder = only_run(workspace / "runs");
  }

  Workspace workspace;
  fs::path folder;
};

TEST_F(ReportTest, WritesAPageIntoTheRunFolderOrToOut) {
  const Finished finished = run({"report", folder});
  ASSERT_TRUE(succeeds(finished));
  EXPECT_EQ(finished.out, (folder / "report.html").string() + "\n");
  EXPECT_EQ(finished.err, "");
  const std::string page = text_of(folder / "report.html");
  EXPECT_NE(page.find("<h1>00000-dots-train</h1>"), std::string::npos);

  const fs::path elsewhere = workspace / "page.html";
  ASSERT_TRUE(succeeds(run({"report", folder.string() + "/", "--out", elsewhere})));
  EXPECT_EQ(text_of(elsewhere), page) << "reports are reproducible";
}

TEST_F(ReportTest, TakesSeveralEvaluations) {
  const Finished finished =
      run({"report", folder, "--evaluation", kEvaluation, "--evaluation", kEvaluation});
  ASSERT_TRUE(succeeds(finished));
  EXPECT_NE(text_of(folder / "report.html").find("FD-made-up"), std::string::npos);
}

TEST_F(ReportTest, RefusesPathsThatAreNotRunsOrEvaluations) {
  EXPECT_TRUE(refuses(run({"report", workspace / "absent"}), 1,
                      {"absent", "expected the folder of a run"}));
  EXPECT_TRUE(refuses(run({"report", workspace.path()}), 1, {"expected the folder of a run"}));
  EXPECT_TRUE(
      refuses(run({"report", workspace.data()}), 1, {"dots.npy", "expected the folder of a run"}));
  EXPECT_TRUE(refuses(run({"report"}), 2, {"RUN is required"}));
  EXPECT_TRUE(refuses(run({"report", folder, "--evaluation", workspace / "absent.json"}), 1,
                      {"absent.json"}));
  EXPECT_TRUE(refuses(run({"report", folder, "--evaluation", workspace.config()}), 1,
                      {"tiny.json", "evaluate --json"}));
  EXPECT_TRUE(refuses(run({"report", folder, "--out", workspace / "none/page.html"}), 1,
                      {"none/page.html"}));
  EXPECT_FALSE(fs::exists(folder / "report.html")) << "nothing is written after an error";
}

TEST_F(ReportTest, NamesADamagedFileOfTheRun) {
  write_text(folder / "samples.png", "not a picture");
  EXPECT_TRUE(refuses(run({"report", folder}), 1, {"samples.png"}));
  fs::remove(folder / "samples.png");
  write_text(folder / "stats.jsonl", "{\"update\": \"x\"}\n");
  EXPECT_TRUE(refuses(run({"report", folder}), 1, {"stats.jsonl", "line 1", "update"}));
}

}  // namespace
}  // namespace halfstep::cli
