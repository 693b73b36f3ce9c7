// Several processes of the program that share a run, started the way torchrun starts them.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <future>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "halfstep/io/json.h"
#include "tests/cli/workspace.h"
#include "tests/parallel/free_port.h"

namespace halfstep::parallel {
bool has_gloo();
}

namespace halfstep::cli {
namespace {

class Processes : public testing::Test {
 protected:
  void SetUp() override {
    if (!parallel::has_gloo()) GTEST_SKIP() << "built without Gloo (libgloo-dev)";
  }

  // Runs one process per command and returns them by rank. `last` applies to the last rank only.
  static std::vector<Finished> together(const std::vector<Arguments>& commands,
                                        const Conditions& last = {}, int restarts = 0) {
    const std::string port = std::to_string(test::free_port());
    std::vector<std::future<Finished>> running;
    for (size_t rank = 0; rank < commands.size(); ++rank) {
      Conditions conditions = rank + 1 == commands.size() ? last : Conditions{};
      conditions.environment = {{"RANK", std::to_string(rank)},
                                {"WORLD_SIZE", std::to_string(commands.size())},
                                {"MASTER_ADDR", "127.0.0.1"},
                                {"MASTER_PORT", port},
                                {"TORCHELASTIC_RESTART_COUNT", std::to_string(restarts)}};
      running.push_back(std::async(std::launch::async, [command = commands[rank], conditions] {
        return run(command, conditions);
      }));
    }
    std::vector<Finished> finished;
    for (std::future<Finished>& process : running) finished.push_back(process.get());
    return finished;
  }

  static std::vector<Finished> two(const Arguments& command, const Conditions& last = {},
                                   int restarts = 0) {
    return together({command, command}, last, restarts);
  }

  static void expect_done(const std::vector<Finished>& processes) {
    for (const Finished& process : processes) EXPECT_TRUE(succeeds(process));
    for (size_t rank = 1; rank < processes.size(); ++rank) {
      EXPECT_EQ(processes[rank].out, "");
      EXPECT_EQ(processes[rank].err, "");
    }
  }

  const Workspace workspace;
};

// Returns whether the run under `outdir` has made at least `updates` updates.
std::function<bool()> updates_of(const fs::path& outdir, size_t updates) {
  return [outdir, updates] {
    if (!fs::exists(outdir)) return false;
    for (const auto& entry : fs::directory_iterator(outdir)) {
      const fs::path stats = entry.path() / "stats.jsonl";
      if (fs::exists(stats) && std::ranges::count(text_of(stats), '\n') >= ptrdiff_t(updates))
        return true;
    }
    return false;
  };
}

// Returns the lines of stats.jsonl without the timings.
std::vector<nlohmann::json> stats_of(const fs::path& run) {
  std::istringstream text(text_of(run / "stats.jsonl"));
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(text, line);) {
    lines.push_back(io::parse_json(line, "stats.jsonl"));
    for (const char* key : {"images_per_second", "seconds"}) lines.back().erase(key);
  }
  return lines;
}

TEST_F(Processes, TwoTrainTheSameModelAsTwoMicrobatches) {
  ASSERT_TRUE(succeeds(run(workspace.train(workspace / "one", {"--microbatch", "4"}))));
  expect_done(two(workspace.train(workspace / "two")));
  const fs::path one = only_run(workspace / "one");
  const fs::path both = only_run(workspace / "two");
  EXPECT_TRUE(same_weights(both / "model.safetensors", one / "model.safetensors"));
  EXPECT_EQ(stats_of(both), stats_of(one));
  EXPECT_TRUE(fs::exists(both / "samples.png"));
}

TEST_F(Processes, TwoDistilTheSameModelsAsTwoMicrobatches) {
  ASSERT_TRUE(succeeds(run(workspace.distill(workspace / "one", {"--microbatch", "4"}))));
  expect_done(two(workspace.distill(workspace / "two")));
  for (const char* model : {"stage-0004/model.safetensors", "stage-0002/model.safetensors"}) {
    EXPECT_TRUE(
        same_weights(only_run(workspace / "two") / model, only_run(workspace / "one") / model))
        << model;
  }
}

TEST_F(Processes, TwoMatchMomentsAsTwoMicrobatches) {
  const Arguments more = {"--method", "moment-matching", "--match-updates", "24"};
  Arguments parts = more;
  parts.insert(parts.end(), {"--microbatch", "4"});
  ASSERT_TRUE(succeeds(run(workspace.distill(workspace / "one", parts))));
  expect_done(two(workspace.distill(workspace / "two", more)));
  const char* model = "matched-0002/model.safetensors";
  EXPECT_TRUE(
      same_weights(only_run(workspace / "two") / model, only_run(workspace / "one") / model));
}

TEST_F(Processes, OneThatDiesEndsTheOtherAndARestartContinues) {
  const Arguments more = {"--last-updates", "200", "--checkpoint-every", "1000"};
  expect_done(two(workspace.distill(workspace / "whole", more)));
  const Arguments command = workspace.distill(workspace / "killed", more);
  const std::vector<Finished> ended =
      two(command, {.signal = SIGKILL, .after = updates_of(workspace / "killed", 10)});
  ASSERT_EQ(ended[1].code, -SIGKILL) << ended[0].err;
  EXPECT_TRUE(fails(ended[0], 1, {"rank 0 of 2", "ended"}));
  EXPECT_TRUE(says(ended[0].err, "the state is saved")) << ended[0].err;
  EXPECT_LT(ended[0].seconds - ended[1].seconds, 5.0);

  const std::vector<Finished> again = two(command, {}, /*restarts=*/1);
  expect_done(again);
  EXPECT_TRUE(says(again[0].err, "resumed at update")) << again[0].err;
  EXPECT_FALSE(says(again[0].err, "not bit-exact")) << again[0].err;
  const std::string model = "stage-0002/model.safetensors";
  EXPECT_TRUE(
      same_weights(only_run(workspace / "killed") / model, only_run(workspace / "whole") / model));
}

TEST_F(Processes, ASignalToOneInterruptsBothAndOneAloneResumes) {
  const Arguments more = {"--updates", "400", "--checkpoint-every", "1000"};
  const std::vector<Finished> ended =
      two(workspace.train(workspace / "runs", more),
          {.signal = SIGTERM, .after = updates_of(workspace / "runs", 2)});
  ASSERT_EQ(ended[1].code, 130) << ended[1].err;
  EXPECT_EQ(ended[1].err, "");
  EXPECT_EQ(ended[0].code, 130) << ended[0].err;
  EXPECT_TRUE(says(ended[0].err, "the state is saved")) << ended[0].err;
  const fs::path folder = only_run(workspace / "runs");
  EXPECT_FALSE(fs::exists(folder / "model.safetensors"));
  const Finished alone = run(Workspace::resume(folder));
  ASSERT_TRUE(succeeds(alone));
  EXPECT_TRUE(says(alone.err, "not bit-exact: processes was 2, is 1")) << alone.err;
}

TEST_F(Processes, DifferentSettingsAreRefused) {
  const std::vector<Finished> ended = together(
      {workspace.train(workspace / "runs"), workspace.train(workspace / "runs", {"--lr", "0.5"})});
  for (const Finished& process : ended)
    EXPECT_TRUE(refuses(process, 2, {"rank 1", "/update/lr", "0.001", "0.5"}));
  EXPECT_FALSE(fs::exists(workspace / "runs"));
}

TEST_F(Processes, FewerImagesThanProcessesAreRefused) {
  const Arguments command = workspace.train(workspace / "runs", {"--batch", "1"});
  for (const Finished& process : two(command))
    EXPECT_TRUE(fails(process, 2, {"batch", "at least one example per process, 2", "received 1"}));
}

TEST_F(Processes, TwoEvaluateAsOne) {
  const auto evaluate = [&](const fs::path& json) {
    return Arguments{"evaluate",
                     "--samples",
                     Workspace::teacher(),
                     "--reference",
                     workspace.data(),
                     "--features",
                     fs::path(HALFSTEP_SOURCE_DIR) / "models/features/resnet20-cifar10.safetensors",
                     "--num",
                     "10",
                     "--steps",
                     "2",
                     "--batch",
                     "4",
                     "--threads",
                     "1",
                     "--precision",
                     "fp32",
                     "--metrics",
                     "frechet,is",
                     "--json",
                     json};
  };
  const Finished one = run(evaluate(workspace / "one.json"));
  ASSERT_TRUE(succeeds(one));
  const std::vector<Finished> finished = two(evaluate(workspace / "two.json"));
  EXPECT_TRUE(succeeds(finished[0]));
  EXPECT_EQ(finished[0].out, one.out);
  EXPECT_TRUE(succeeds(finished[1]));
  EXPECT_EQ(finished[1].out + finished[1].err, "");
  nlohmann::json expected = io::read_json(workspace / "one.json");
  nlohmann::json found = io::read_json(workspace / "two.json");
  expected["results"][0].erase("seconds");
  found["results"][0].erase("seconds");
  EXPECT_EQ(found, expected);
}

TEST_F(Processes, TwoSampleTheSameImagesAsOne) {
  const Arguments more = {"--batch", "3", "--grid", workspace / "grid.png"};
  ASSERT_TRUE(succeeds(run(Workspace::sample(workspace / "one.npz", more))));
  const std::vector<Finished> finished = two(Workspace::sample(workspace / "two.npz", more));
  expect_done(finished);
  EXPECT_TRUE(says(finished[0].err, "8/8 images")) << finished[0].err;
  EXPECT_EQ(text_of(workspace / "two.npz"), text_of(workspace / "one.npz"));
}

}  // namespace
}  // namespace halfstep::cli
