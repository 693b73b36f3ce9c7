// A run that was interrupted and resumed ends with the same bits as an uninterrupted one.
//
// HALFSTEP_KILLS=N sets the number of kills; HALFSTEP_KILL_SEED repeats the random times of a
// failure.
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "halfstep/io/json.h"
#include "tests/cli/workspace.h"

namespace halfstep::cli {
namespace {

using Command = std::function<Arguments(const fs::path& outdir)>;

// Starts a run and sends `signal` when stderr contains `text`. Tries again if the machine was too
// busy to send it in time. Sets `outdir` to the folder of the last attempt.
Finished interrupted(const Command& command, int signal, const std::string& text,
                     fs::path& outdir) {
  const fs::path first = outdir;
  Finished finished;
  for (int attempt = 0; attempt < 5; ++attempt) {
    outdir = first.string() + std::to_string(attempt);
    finished = run(command(outdir), {.signal = signal, .after_text = text});
    if (finished.code != 0) break;
  }
  return finished;
}

// Succeeds if the lines of stats.jsonl are updates 1, 2, 3, ..., with none lost or repeated.
testing::AssertionResult counts_to(int64_t updates, const fs::path& stats_path) {
  std::istringstream stats(text_of(stats_path));
  std::string line;
  int64_t lines = 0;
  while (std::getline(stats, line)) {
    const nlohmann::json record = io::parse_json(line, "stats.jsonl");
    if (record["total_updates"] != ++lines)
      return testing::AssertionFailure() << "line " << lines << " is " << line;
  }
  if (lines == updates) return testing::AssertionSuccess();
  return testing::AssertionFailure() << lines << " lines, expected " << updates;
}

TEST(CtrlC, InTrainingSavesAndResumeEndsWithTheSameWeights) {
  const Workspace workspace;
  const Arguments more = {"--updates", "60"};
  ASSERT_TRUE(succeeds(run(workspace.train(workspace / "whole", more))));
  fs::path outdir = workspace / "interrupted";
  const Finished finished = interrupted(
      [&](const fs::path& to) { return workspace.train(to, more); }, SIGINT, "update 1/60", outdir);
  EXPECT_EQ(finished.code, 130) << finished.err;
  EXPECT_EQ(finished.out, "");
  EXPECT_TRUE(says(finished.err, "the state is saved")) << finished.err;
  EXPECT_TRUE(says(finished.err, "halfstep resume " + only_run(outdir).string())) << finished.err;
  EXPECT_FALSE(fs::exists(only_run(outdir) / "model.safetensors"));

  const Finished resumed = run(Workspace::resume(only_run(outdir)));
  ASSERT_TRUE(succeeds(resumed));
  EXPECT_TRUE(says(resumed.err, "resumed at update")) << resumed.err;
  EXPECT_FALSE(says(resumed.err, "not bit-exact")) << resumed.err;
  EXPECT_TRUE(same_weights(only_run(outdir) / "model.safetensors",
                           only_run(workspace / "whole") / "model.safetensors"));
  EXPECT_TRUE(counts_to(60, only_run(outdir) / "stats.jsonl"));
}

TEST(Terminate, InTheSecondStageSavesAndResumeFindsDataThatMoved) {
  const Workspace workspace;
  const Arguments more = {"--last-updates", "60"};
  ASSERT_TRUE(succeeds(run(workspace.distill(workspace / "whole", more))));
  fs::path outdir = workspace / "interrupted";
  const Finished finished =
      interrupted([&](const fs::path& to) { return workspace.distill(to, more); }, SIGTERM,
                  "(2/2): update 1/60", outdir);
  EXPECT_EQ(finished.code, 130) << finished.err;
  const fs::path folder = only_run(outdir);
  EXPECT_TRUE(fs::exists(folder / "stage-0004" / "model.safetensors"));
  EXPECT_FALSE(fs::exists(folder / "stage-0002" / "model.safetensors"));

  fs::create_directories(workspace / "moved");
  fs::rename(workspace.data(), workspace / "moved/dots.npy");
  EXPECT_TRUE(refuses(run(Workspace::resume(folder)), 1, {workspace.data()}));
  fs::rename(workspace / "dots.labels.npy", workspace / "moved/dots.labels.npy");
  const Finished resumed = run(Workspace::resume(folder, {"--data", workspace / "moved/dots.npy"}));
  ASSERT_TRUE(succeeds(resumed));
  EXPECT_FALSE(says(resumed.err, "not bit-exact")) << resumed.err;
  for (const char* model : {"stage-0004/model.safetensors", "stage-0002/model.safetensors"})
    EXPECT_TRUE(same_weights(folder / model, only_run(workspace / "whole") / model)) << model;
  EXPECT_TRUE(counts_to(66, folder / "stats.jsonl"));
}

TEST(Kill, AtAnyTimeLosesNothingThatWasSaved) {
  const char* wanted = std::getenv("HALFSTEP_KILLS");
  const char* given = std::getenv("HALFSTEP_KILL_SEED");
  const int kills = wanted != nullptr ? std::atoi(wanted) : 3;
  const auto seed = given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 10))
                                     : std::random_device()();
  SCOPED_TRACE("HALFSTEP_KILL_SEED=" + std::to_string(seed));
  std::mt19937 generator(seed);

  const Workspace workspace;
  const Arguments more = {"--updates-per-stage", "30", "--last-updates", "30",
                          "--checkpoint-every",  "2"};
  const Finished whole = run(workspace.distill(workspace / "whole", more));
  ASSERT_TRUE(succeeds(whole));
  const fs::path expected = only_run(workspace / "whole") / "stage-0002" / "model.safetensors";
  std::uniform_real_distribution<double> when(0.0, whole.seconds);

  const fs::path outdir = workspace / "killed";
  int done = 0;
  Conditions conditions{.signal = SIGKILL};
  while (true) {
    // for a new run the time starts when its folder exists
    const bool fresh = !fs::exists(outdir);
    conditions.after_text = fresh ? "run " : "";
    conditions.after_seconds = when(generator);
    if (done == kills) conditions.signal.reset();
    const Finished finished = run(
        fresh ? workspace.distill(outdir, more) : Workspace::resume(only_run(outdir)), conditions);
    if (finished.code == -SIGKILL) {
      ++done;
      continue;
    }
    ASSERT_TRUE(succeeds(finished)) << "after " << done << " kills";
    const fs::path folder = only_run(outdir);
    ASSERT_TRUE(same_weights(folder / "stage-0002" / "model.safetensors", expected));
    ASSERT_TRUE(counts_to(60, folder / "stats.jsonl"));
    if (done == kills) return;
    fs::remove_all(outdir);
  }
}

TEST(Resume, OfAFinishedRunChangesNothing) {
  const Workspace workspace;
  ASSERT_TRUE(succeeds(run(workspace.distill(workspace / "runs"))));
  const fs::path folder = only_run(workspace / "runs");
  const fs::path last = folder / "stage-0002" / "model.safetensors";
  const std::string model = text_of(last);
  const std::string samples = text_of(folder / "stage-0002" / "samples.png");
  const std::string stats = text_of(folder / "stats.jsonl");
  for (int time = 0; time < 2; ++time) {
    const Finished finished = run(Workspace::resume(folder));
    ASSERT_TRUE(succeeds(finished));
    EXPECT_EQ(finished.out, last.string() + "\n");
    EXPECT_EQ(text_of(last), model);
    EXPECT_EQ(text_of(folder / "stage-0002" / "samples.png"), samples);
    EXPECT_EQ(text_of(folder / "stats.jsonl"), stats);
  }
  const Finished other = run(Workspace::resume(folder, {"--threads", "2"}));
  EXPECT_TRUE(succeeds(other));
  EXPECT_TRUE(says(other.err, "not bit-exact: threads was 1, is 2")) << other.err;
}

TEST(Resume, ForMoreUpdatesEqualsOneLongRun) {
  const Workspace workspace;
  ASSERT_TRUE(succeeds(run(workspace.train(workspace / "long", {"--updates", "17"}))));
  ASSERT_TRUE(succeeds(run(workspace.train(workspace / "short"))));
  const fs::path folder = only_run(workspace / "short");
  EXPECT_TRUE(
      refuses(run(Workspace::resume(folder, {"--updates", "3"})), 2, {"updates", "12 to", "3"}));
  ASSERT_TRUE(succeeds(run(Workspace::resume(folder, {"--updates", "17"}))));
  EXPECT_EQ(text_of(folder / "model.safetensors"),
            text_of(only_run(workspace / "long") / "model.safetensors"))
      << "the whole file, including its metadata";
}

}  // namespace
}  // namespace halfstep::cli
