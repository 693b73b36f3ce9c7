// One graph, on the device without hardware (fake_device.h), which counts replays.
#include "halfstep/device/device_graph.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "tests/device/fake_device.h"
#include "tests/device/fake_graph.h"
#include "tests/device/without_graphs.h"

namespace halfstep {
namespace {

using test::fake_device;
using test::graph_replays;
using test::WithoutGraphs;

constexpr int64_t kWarmUps = DeviceGraph::kWarmUps;

Tensor on_device(const std::vector<float>& values) { return at::tensor(values).to(fake_device()); }

// Calls a graph of `function` with the inputs {1}, {2}, ... {5} and expects what the function gives
// for them operator by operator. Returns the number of replays.
int64_t expect_results_of(const DeviceGraph::Function& function, bool capturable = true) {
  DeviceGraph graph(capturable);
  const int64_t before = graph_replays();
  for (int call = 1; call <= 5; ++call) {
    const std::vector<Tensor> inputs = {on_device({static_cast<float>(call)})};
    const std::vector<Tensor> outputs = graph.run(inputs, function);
    const std::vector<Tensor> expected = function(inputs);
    EXPECT_EQ(outputs.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i)
      EXPECT_TRUE(at::equal(outputs[i].cpu(), expected[i].cpu())) << call;
  }
  return graph_replays() - before;
}

std::vector<Tensor> squared(const std::vector<Tensor>& inputs) {
  return {inputs[0] * inputs[0], inputs[0] + 1.0};
}

TEST(DeviceGraph, GivesTheResultsOfTheOperators) {
  EXPECT_EQ(expect_results_of(squared), 5 - kWarmUps);
}

TEST(DeviceGraph, RunsTheOperatorsWhereItIsTurnedOff) {
  EXPECT_EQ(expect_results_of(squared, /*capturable=*/false), 0);
  const WithoutGraphs off;
  EXPECT_EQ(expect_results_of(squared), 0);
  EXPECT_FALSE(runs_graphs(fake_device()));
}

TEST(DeviceGraph, RunsTheOperatorsOnTheCpu) {
  DeviceGraph graph(/*capturable=*/true);
  EXPECT_FALSE(runs_graphs(at::kCPU));
  for (int call = 0; call < 5; ++call)
    EXPECT_EQ(graph.run({at::full({1}, call)}, squared)[0].item<int>(), call * call);
}

TEST(DeviceGraph, RunsTheOperatorsOfWhatCannotBeCaptured) {
  const int64_t replays = expect_results_of([](const std::vector<Tensor>& inputs) {
    return std::vector<Tensor>{inputs[0] * inputs[0].item<float>()};
  });
  EXPECT_EQ(replays, 0);
}

TEST(DeviceGraph, PassesErrorsOn) {
  DeviceGraph graph(/*capturable=*/true);
  const auto fails = [](const std::vector<Tensor>& inputs) {
    return std::vector<Tensor>{inputs[0] + at::ones({2, 2}, inputs[0].options()).view({3})};
  };
  for (int call = 0; call < 5; ++call)
    EXPECT_THROW(graph.run({on_device({1.0F})}, fails), c10::Error);
}

TEST(DeviceGraph, ChangesOtherTensorsOnceInEachCall) {
  const Tensor sum = on_device({0.0F});
  DeviceGraph graph(/*capturable=*/true);
  for (int call = 1; call <= 5; ++call) {
    graph.run({on_device({1.0F})}, [&](const std::vector<Tensor>& inputs) {
      sum.add_(inputs[0]);
      return std::vector<Tensor>{sum};
    });
    EXPECT_EQ(sum.item<float>(), static_cast<float>(call));
  }
}

TEST(DeviceGraph, HasOneGraphForEachShape) {
  DeviceGraph graph(/*capturable=*/true);
  for (int call = 0; call < 5; ++call) {
    for (const int64_t size : {1, 3}) {
      const Tensor input = at::full({size}, call, at::TensorOptions().device(fake_device()));
      EXPECT_EQ(graph.run({input}, squared)[0].sum().item<int>(), size * call * call);
    }
  }
}

// What the tests below rely on.
TEST(FakeGraph, KeepsTheNumbersOfItsCapture) {
  DeviceGraph graph(/*capturable=*/true);
  float last = 0.0F;
  for (int call = 0; call < 5; ++call) {
    last = graph
               .run({on_device({0.0F})},
                    [&](const std::vector<Tensor>& inputs) {
                      return std::vector<Tensor>{inputs[0] + static_cast<double>(call)};
                    })[0]
               .item<float>();
  }
  EXPECT_EQ(last, static_cast<float>(kWarmUps));
}

TEST(FakeGraph, FindsMemoryThatWasReleased) {
  DeviceGraph graph(/*capturable=*/true);
  Tensor weight = on_device({2.0F});
  const auto call = [&] {
    return graph.run({on_device({3.0F})}, [&](const std::vector<Tensor>& inputs) {
      return std::vector<Tensor>{inputs[0] * weight};
    })[0];
  };
  for (int64_t i = 0; i <= kWarmUps; ++i) EXPECT_EQ(call().item<float>(), 6.0F);
  weight.set_data(on_device({5.0F}));
  EXPECT_THROW(call(), c10::Error);
}

}  // namespace
}  // namespace halfstep
