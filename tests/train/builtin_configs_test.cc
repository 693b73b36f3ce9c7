#include "halfstep/train/builtin_configs.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace halfstep {
namespace {

TEST(BuiltinConfigs, AreJsonWithAName) {
  for (const BuiltinConfig& config : builtin_configs()) {
    EXPECT_FALSE(config.name.empty());
    EXPECT_TRUE(nlohmann::json::accept(config.json)) << config.name;
  }
}

}  // namespace
}  // namespace halfstep
