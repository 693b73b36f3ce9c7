// The folder of a run, given where a command takes a model.
#include <gtest/gtest.h>

#include "tests/cli/workspace.h"

namespace halfstep::cli {
namespace {

TEST(RunAsModel, MeansItsModelOrItsNewestSnapshot) {
  const Workspace workspace;
  ASSERT_TRUE(succeeds(run(workspace.train(workspace / "runs", {"--snapshot-every", "4"}))));
  const fs::path folder = only_run(workspace / "runs");
  const auto sample = [&](const fs::path& model, const char* name) {
    return run({"sample", "--model", model, "--steps", "2", "--seeds", "0-7", "--npz",
                workspace / name, "--threads", "1"});
  };
  const Finished finished = sample(folder, "run.npz");
  ASSERT_TRUE(succeeds(finished));
  EXPECT_EQ(finished.err.find("has not finished"), std::string::npos) << finished.err;
  ASSERT_TRUE(succeeds(sample(folder / "model.safetensors", "model.npz")));
  EXPECT_EQ(text_of(workspace / "run.npz"), text_of(workspace / "model.npz"));

  fs::remove(folder / "model.safetensors");  // as if the run went on
  const Finished unfinished = sample(folder, "run.npz");
  ASSERT_TRUE(succeeds(unfinished));
  EXPECT_NE(unfinished.err.find("using the snapshot at update 8 of 12 of stage training"),
            std::string::npos)
      << unfinished.err;
  ASSERT_TRUE(succeeds(sample(folder / "snapshot-00000008", "snapshot.npz")));
  EXPECT_EQ(text_of(workspace / "run.npz"), text_of(workspace / "snapshot.npz"));
  EXPECT_NE(text_of(workspace / "run.npz"), text_of(workspace / "model.npz"));
  EXPECT_TRUE(fs::exists(folder / "snapshot-00000004/samples.png"));

  for (const char* name : {"snapshot-00000004", "snapshot-00000008"}) fs::remove_all(folder / name);
  EXPECT_TRUE(refuses(sample(folder, "run.npz"), 2, {"no snapshots", "--snapshot-every"}));
}

TEST(RunAsModel, TheCommandLineThatMadeItIsRecorded) {
  const Workspace workspace;
  ASSERT_TRUE(succeeds(
      run(workspace.train(workspace / "my runs", {"--updates", "1", "--grid-images", "0"}))));
  const std::string command = text_of(only_run(workspace / "my runs") / "command.txt");
  EXPECT_NE(command.find(" train --config "), std::string::npos) << command;
  EXPECT_NE(command.find("'" + (workspace / "my runs").string() + "'"), std::string::npos)
      << command;
}

}  // namespace
}  // namespace halfstep::cli
