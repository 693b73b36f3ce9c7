#include "halfstep/parallel/launch_environment.h"

#include <gtest/gtest.h>

#include <map>

#include "halfstep/core/error.h"
#include "tests/support/expect_throws.h"

namespace halfstep::parallel {
namespace {

LaunchEnvironment environment_of(const std::map<std::string, std::string>& variables) {
  return launch_environment([&](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

TEST(LaunchEnvironment, IsASingleProcessWithoutALauncher) {
  const LaunchEnvironment launch = environment_of({});
  EXPECT_EQ(launch.rank, 0);
  EXPECT_EQ(launch.size, 1);
  EXPECT_EQ(launch.restarts, 0);
}

TEST(LaunchEnvironment, ReadsTorchrunsVariables) {
  const LaunchEnvironment launch = environment_of({{"RANK", "5"},
                                                   {"WORLD_SIZE", "8"},
                                                   {"LOCAL_RANK", "1"},
                                                   {"MASTER_ADDR", "node0"},
                                                   {"MASTER_PORT", "29500"},
                                                   {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                                                   {"TORCHELASTIC_RESTART_COUNT", "2"}});
  EXPECT_EQ(launch.rank, 5);
  EXPECT_EQ(launch.size, 8);
  EXPECT_EQ(launch.local_rank, 1);
  EXPECT_EQ(launch.master_host, "node0");
  EXPECT_EQ(launch.master_port, 29500);
  EXPECT_TRUE(launch.launcher_has_store);
  EXPECT_EQ(launch.restarts, 2);
}

TEST(LaunchEnvironment, NeedsFourVariablesOnly) {
  const LaunchEnvironment launch = environment_of(
      {{"RANK", "1"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "::1"}, {"MASTER_PORT", "65535"}});
  EXPECT_EQ(launch.rank, 1);
  EXPECT_EQ(launch.size, 2);
  EXPECT_EQ(launch.local_rank, 0);
  EXPECT_FALSE(launch.launcher_has_store);
}

TEST(LaunchEnvironment, ReadsSlurmsVariables) {
  const std::map<std::string, std::string> slurm = {{"SLURM_PROCID", "3"},
                                                    {"SLURM_NTASKS", "4"},
                                                    {"SLURM_LOCALID", "1"},
                                                    {"SLURM_RESTART_COUNT", "1"}};
  std::map<std::string, std::string> with_master = slurm;
  with_master["MASTER_ADDR"] = "node0";
  with_master["MASTER_PORT"] = "29500";
  const LaunchEnvironment launch = environment_of(with_master);
  EXPECT_EQ(launch.rank, 3);
  EXPECT_EQ(launch.size, 4);
  EXPECT_EQ(launch.local_rank, 1);
  EXPECT_EQ(launch.restarts, 1);
  // a batch script has Slurm's variables too, but is a single process
  EXPECT_EQ(environment_of(slurm).size, 1);
}

TEST(LaunchEnvironment, ASingleLaunchedProcessNeedsNoMaster) {
  const LaunchEnvironment launch =
      environment_of({{"RANK", "0"}, {"WORLD_SIZE", "1"}, {"TORCHELASTIC_RESTART_COUNT", "1"}});
  EXPECT_EQ(launch.size, 1);
  EXPECT_EQ(launch.restarts, 1);
}

TEST(LaunchEnvironment, NamesTheMissingOrInvalidVariable) {
  using Variables = std::map<std::string, std::string>;
  const Variables good = {
      {"RANK", "1"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "node0"}, {"MASTER_PORT", "29500"}};
  for (const char* name : {"RANK", "MASTER_ADDR", "MASTER_PORT"}) {
    Variables without = good;
    without.erase(name);
    test::expect_throws<ConfigError>({name, "expected", "received none"},
                                     [&] { environment_of(without); });
  }
  for (const auto& [name, value] :
       std::multimap<std::string, std::string>{{"RANK", "2"},
                                               {"RANK", "-1"},
                                               {"WORLD_SIZE", "0"},
                                               {"WORLD_SIZE", "two"},
                                               {"MASTER_PORT", "65536"},
                                               {"MASTER_PORT", "80x"}}) {
    Variables wrong = good;
    wrong[name] = value;
    test::expect_throws<ConfigError>({name, value}, [&] { environment_of(wrong); });
  }
}

}  // namespace
}  // namespace halfstep::parallel
