// train and distill --evaluate-every.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/workspace.h"

namespace halfstep::cli {
namespace {

const fs::path kResNet20Fashion =
    fs::path(HALFSTEP_SOURCE_DIR) / "models/features/resnet20-fashion.safetensors";

const Arguments kEvaluate = {"--evaluate-every", "4", "--evaluate-num", "16", "--features",
                             kResNet20Fashion};

TEST(EvaluatingRun, ReportsEachEvaluationAndIsResumedWithTheSameFeatures) {
  const Workspace workspace;
  const Finished finished =
      run(workspace.train(workspace / "runs", kEvaluate + Arguments{"--updates", "6"}));
  ASSERT_TRUE(succeeds(finished));
  for (const char* part :
       {"evaluation every 4 updates: FD-ResNet20-FashionMNIST of 16 samples against all ",
        "training, update 4: FD-ResNet20-FashionMNIST ", ", the best so far; pixels ",
        "training, update 6: FD-ResNet20-FashionMNIST ", ", FD-ResNet20-FashionMNIST "}) {
    EXPECT_NE(finished.err.find(part), std::string::npos) << part << "\n" << finished.err;
  }
  const fs::path folder = only_run(workspace / "runs");
  std::vector<int64_t> updates;
  std::istringstream stats(text_of(folder / "stats.jsonl"));
  for (std::string line; std::getline(stats, line);) {
    const auto json = nlohmann::json::parse(line);
    if (json.contains("evaluation")) updates.push_back(json["update"].get<int64_t>());
  }
  EXPECT_EQ(updates, (std::vector<int64_t>{4, 6}));
  ASSERT_TRUE(succeeds(run({"report", folder})));
  EXPECT_NE(text_of(folder / "report.html").find("Quality while training"), std::string::npos);

  const fs::path other = kResNet20Fashion.parent_path() / "resnet20-cifar10.safetensors";
  EXPECT_TRUE(refuses(run(workspace.resume(folder, {"--features", other})), 1,
                      {"resnet20-cifar10.safetensors", "sha256"}));
  EXPECT_TRUE(succeeds(run(workspace.resume(folder))));
}

TEST(EvaluatingRun, BadFlagsAreRefusedBeforeTheRun) {
  const Workspace workspace;
  const auto refused = [&](const Arguments& more, const std::vector<std::string>& parts) {
    return refuses(run(workspace.train(workspace / "runs", more)), 2, parts) &&
           !fs::exists(workspace / "runs");
  };
  EXPECT_TRUE(refused({"--evaluate-every", "4"},
                      {"[--features] expected the file of a feature network, because "
                       "evaluate_every is 4, received none"}));
  EXPECT_TRUE(refused({"--evaluate-every", "4", "--dry-run"}, {"[--features]"}));
  EXPECT_TRUE(refused({"--features", kResNet20Fashion}, {"[--evaluate-every] expected 1 or more"}));
  EXPECT_TRUE(refused({"--evaluate-every", "-1", "--features", kResNet20Fashion},
                      {"[--evaluate-every] expected 0 to 1000000000, received -1"}));
  EXPECT_TRUE(
      refused({"--evaluate-every", "4", "--evaluate-num", "1", "--features", kResNet20Fashion},
              {"[--evaluate-num] expected 2 to 10000000, received 1"}));
  EXPECT_TRUE(refuses(
      run(workspace.train(workspace / "runs",
                          {"--evaluate-every", "4", "--features", workspace / "absent.pt"})),
      1, {"absent.pt"}));
}

}  // namespace
}  // namespace halfstep::cli
