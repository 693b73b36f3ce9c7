// Compares updates with those of the official code on the same gradients (i_optim).
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "halfstep/train/optimizer.h"
#include "tests/support/golden.h"
#include "tests/support/tolerance.h"
#include "tests/train/vector_network.h"

namespace halfstep {
namespace {

using test::Golden;
using test::VectorNetwork;

const std::vector<std::string>& names() {
  static const std::vector<std::string> kNames = {"a", "b", "c"};
  return kNames;
}

std::vector<NamedTensor> initial_parameters(const Golden& golden) {
  std::vector<NamedTensor> parameters;
  for (const std::string& name : names()) {
    parameters.push_back({name, golden.at("in/param/" + name).clone()});
  }
  return parameters;
}

OptimizerOptions options_of(const nlohmann::json& scenario) {
  OptimizerOptions options;
  options.beta1 = scenario.value("adam_beta1", options.beta1);
  options.beta2 = scenario.value("adam_beta2", options.beta2);
  options.weight_decay = scenario.at("weight_decay");
  options.grad_clip = scenario.at("grad_clip");
  options.ema_decay = scenario.value("ema_decay", 0.0);
  // The official average over `avg_steps` is an EMA with this decay.
  if (scenario.contains("avg_type") && scenario.at("avg_type") == "ema") {
    options.ema_decay = 1.0 - 1.0 / scenario.at("avg_steps").get<double>();
  }
  return options;
}

// An optimizer in one scenario, with the expected values.
struct Update {
  Update(const Golden& golden, const std::string& name)
      : golden(golden),
        scenario(golden.settings().at("scenarios").at(name)),
        out("out/" + name + "/step"),
        network(initial_parameters(golden)),
        optimizer(network, options_of(scenario)) {
    if (!scenario.contains("start_step")) return;
    // The state has made updates, but the moments of Adam are zero.
    OptimizerState state = optimizer.state();
    state.ema = state.parameters;
    state.updates = scenario.at("start_step");
    optimizer.restore(state);
  }

  Optimizer::Step step(int64_t k) {
    const bool broken = scenario.value("nan_step", int64_t{-1}) == k;
    for (const NamedTensor& parameter : network.parameters()) {
      const Tensor shard0 = golden.at("in/grad/" + parameter.name)[k][0];
      Tensor(parameter.tensor).mutable_grad().copy_(shard0);
    }
    if (broken) Tensor(network.parameters()[0].tensor).mutable_grad()[0] = std::nan("");
    double lr = scenario.at("learning_rate");
    if (scenario.contains("lr_mults")) {
      lr *= scenario.at("lr_mults").at(static_cast<size_t>(k)).get<double>();
    }
    return optimizer.step(lr);
  }

  // Returns the part of an optimizer's vector that belongs to a parameter; all vectors have the
  // same layout.
  Tensor part(const Tensor& vector, size_t index) const {
    const Tensor& parameter = network.parameters()[index].tensor;
    return vector.narrow(0, parameter.storage_offset(), parameter.numel()).view(parameter.sizes());
  }

  const Golden& golden;
  const nlohmann::json scenario;
  const std::string out;
  VectorNetwork network;
  Optimizer optimizer;
};

void expect_official(const Update& update, int64_t k, const Optimizer::Step& step) {
  const std::string prefix = update.out + std::to_string(k) + "/";
  const auto expected = [&](const std::string& key) {
    return update.golden.expected(prefix + key);
  };
  const OptimizerState& state = update.optimizer.state();
  const std::vector<NamedTensor> averaged = update.optimizer.averaged();
  for (size_t i = 0; i < names().size(); ++i) {
    EXPECT_GOLDEN(update.network.parameters()[i].tensor, expected("param/" + names()[i]));
    EXPECT_GOLDEN(averaged[i].tensor, expected("ema/" + names()[i]));
    EXPECT_GOLDEN(update.part(state.first_moment, i), expected("m/" + names()[i]));
    EXPECT_GOLDEN(update.part(state.second_moment, i), expected("v/" + names()[i]));
  }
  EXPECT_EQ(state.updates, update.golden.at(prefix + "state_step").item<int64_t>());
  EXPECT_EQ(state.adam_updates, update.golden.at(prefix + "opt_step").item<int64_t>());
  const test::Expected norm = expected("gnorm");
  EXPECT_EQ(step.skipped, !std::isfinite(norm.value.item<double>()));
  if (step.skipped) {
    EXPECT_TRUE(std::isnan(step.grad_norm));
  } else {
    EXPECT_GOLDEN(at::full({}, step.grad_norm, at::kDouble), norm);
  }
}

class OptimizerGolden : public ::testing::TestWithParam<std::string> {};

TEST_P(OptimizerGolden, EveryUpdateMatchesTheOfficialCode) {
  const Golden golden("i_optim");
  Update update(golden, GetParam());
  for (int64_t k = 0; k < golden.settings().at("steps").get<int64_t>(); ++k) {
    SCOPED_TRACE(k);
    const Optimizer::Step step = update.step(k);
    expect_official(update, k, step);
  }
}

// Left out: momentum and nesterov, which halfstep does not implement, and two_shards, where each
// shard clips its own gradient (halfstep clips the averaged gradient, so that results do not depend
// on the number of ranks).
INSTANTIATE_TEST_SUITE_P(Scenarios, OptimizerGolden,
                         ::testing::Values("cifar_base", "distill", "ema99", "lr_mult", "betas",
                                           "avg_ema", "avg_none", "nan_skip", "start5"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace halfstep
