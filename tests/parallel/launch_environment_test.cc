#include "halfstep/parallel/launch_environment.h"

#include <gtest/gtest.h>

#include <map>

#include "halfstep/core/error.h"
#include "tests/support/expect_throws.h"

namespace halfstep::parallel {
namespace {

LaunchEnvironment place_of(const std::map<std::string, std::string>& variables) {
  return launch_environment([&](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

TEST(LaunchEnvironment, WithoutALauncherThereIsOneProcess) {
  const LaunchEnvironment place = place_of({});
  EXPECT_EQ(place.rank, 0);
  EXPECT_EQ(place.size, 1);
  EXPECT_EQ(place.restarts, 0);
}

TEST(LaunchEnvironment, IsWhatTorchrunSays) {
  const LaunchEnvironment place = place_of({{"RANK", "5"},
                                            {"WORLD_SIZE", "8"},
                                            {"LOCAL_RANK", "1"},
                                            {"MASTER_ADDR", "node0"},
                                            {"MASTER_PORT", "29500"},
                                            {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                                            {"TORCHELASTIC_RESTART_COUNT", "2"}});
  EXPECT_EQ(place.rank, 5);
  EXPECT_EQ(place.size, 8);
  EXPECT_EQ(place.local_rank, 1);
  EXPECT_EQ(place.master_host, "node0");
  EXPECT_EQ(place.master_port, 29500);
  EXPECT_TRUE(place.launcher_has_store);
  EXPECT_EQ(place.restarts, 2);
}

TEST(LaunchEnvironment, PlainVariablesAreEnough) {
  const LaunchEnvironment place = place_of(
      {{"RANK", "1"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "::1"}, {"MASTER_PORT", "65535"}});
  EXPECT_EQ(place.rank, 1);
  EXPECT_EQ(place.size, 2);
  EXPECT_EQ(place.local_rank, 0);
  EXPECT_FALSE(place.launcher_has_store);
}

TEST(LaunchEnvironment, IsWhatSlurmSays) {
  const std::map<std::string, std::string> slurm = {{"SLURM_PROCID", "3"},
                                                    {"SLURM_NTASKS", "4"},
                                                    {"SLURM_LOCALID", "1"},
                                                    {"SLURM_RESTART_COUNT", "1"}};
  std::map<std::string, std::string> told = slurm;
  told["MASTER_ADDR"] = "node0";
  told["MASTER_PORT"] = "29500";
  const LaunchEnvironment place = place_of(told);
  EXPECT_EQ(place.rank, 3);
  EXPECT_EQ(place.size, 4);
  EXPECT_EQ(place.local_rank, 1);
  EXPECT_EQ(place.restarts, 1);
  // a batch script has Slurm's variables too, and one process
  EXPECT_EQ(place_of(slurm).size, 1);
}

TEST(LaunchEnvironment, OneLaunchedProcessNeedsNoMaster) {
  const LaunchEnvironment place =
      place_of({{"RANK", "0"}, {"WORLD_SIZE", "1"}, {"TORCHELASTIC_RESTART_COUNT", "1"}});
  EXPECT_EQ(place.size, 1);
  EXPECT_EQ(place.restarts, 1);
}

TEST(LaunchEnvironment, WhatIsMissingOrWrongIsNamed) {
  using Variables = std::map<std::string, std::string>;
  const Variables good = {
      {"RANK", "1"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "node0"}, {"MASTER_PORT", "29500"}};
  for (const char* name : {"RANK", "MASTER_ADDR", "MASTER_PORT"}) {
    Variables without = good;
    without.erase(name);
    test::expect_throws<ConfigError>({name, "expected", "received none"},
                                     [&] { place_of(without); });
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
    test::expect_throws<ConfigError>({name, value}, [&] { place_of(wrong); });
  }
}

}  // namespace
}  // namespace halfstep::parallel
