// Several processes with a device each give what one process gives: runs, evaluations, images.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <numeric>
#include <thread>
#include <vector>

#include "halfstep/metrics/run_evaluator.h"
#include "halfstep/parallel/sharded_generate.h"
#include "halfstep/train/run.h"
#include "tests/device/test_device.h"
#include "tests/io/temporary_folder.h"
#include "tests/parallel/run_ranks.h"
#include "tests/train/small_runs.h"

namespace halfstep {
namespace {

using test::test_device;

class DeviceProcesses : public testing::Test {
 protected:
  void SetUp() override { REQUIRE_GLOO(); }

  io::TemporaryFolder folder;
};

TEST_F(DeviceProcesses, SumAndBroadcastTensorsOfTheDevice) {
  test::run_ranks(2, [](parallel::ProcessGroup& group) {
    const Tensor values = at::full({3}, static_cast<double>(group.rank() + 1)).to(test_device());
    group.sum(values);
    EXPECT_TRUE(at::equal(values.cpu(), at::full({3}, 3.0)));
    values.fill_(static_cast<double>(group.rank() + 7));
    group.broadcast(values);
    EXPECT_TRUE(at::equal(values.cpu(), at::full({3}, 7.0)));
  });
}

TEST_F(DeviceProcesses, TrainTheModelOfOne) {
  test::expect_two_processes_equal_one(folder.path(), test::small_training(), "", test_device());
}

TEST_F(DeviceProcesses, MatchTheModelOfOne) {
  test::expect_two_processes_equal_one(folder.path(), test::small_matching(), "matched-0002",
                                       test_device());
}

TEST_F(DeviceProcesses, EvaluateAsOne) {
  const std::filesystem::path features =
      std::filesystem::path(HALFSTEP_SOURCE_DIR) / "models/features/resnet20-fashion.safetensors";
  std::array<std::vector<double>, 2> distances;  // of one process, of two
  for (const int size : {1, 2}) {
    std::vector<metrics::RunEvaluator> evaluators;
    for (int rank = 0; rank < size; ++rank) evaluators.emplace_back(features);
    RunOptions options = test::small_training();
    options.update.microbatch = size == 1 ? options.update.batch / 2 : 0;
    options.update.evaluate_every = 4;
    options.update.evaluate_num = 8;
    options.features = evaluators.front().features();
    options.features_sha256 = evaluators.front().features_sha256();
    const RunDirectory directory = test::start_run(folder.path(), options);
    test::Recorder recorder;
    const auto process = [&](parallel::ProcessGroup& group) {
      metrics::RunEvaluator& mine = evaluators.at(static_cast<size_t>(group.rank()));
      if (group.is_rank_zero()) {
        execute(group, directory, test::small_dataset(), test_device(), recorder, recorder.stop,
                std::nullopt, &mine);
      } else {
        take_part(group, options, test::small_dataset(), test_device(), recorder.stop, &mine);
      }
    };
    test::run_ranks(size, process);
    for (const UpdateRecord& record : recorder.records) {
      if (record.quality) distances.at(size - 1).push_back(record.quality->distance.value());
    }
  }
  EXPECT_EQ(distances[0].size(), 2U);  // after updates 4 and 8
  EXPECT_EQ(distances[0], distances[1]);
}

TEST_F(DeviceProcesses, DrawTheImagesOfOne) {
  const Model model = test::small_teacher().on(test_device(), Precision::fp32);
  const std::vector<uint64_t> seeds = {7, 8, 9, 10, 11};
  const GenerateOptions options{.num_steps = 2, .batch = 2};
  Samples alone;
  std::thread([&] { alone = generate(model, seeds, options); }).join();
  test::run_ranks(2, [&](parallel::ProcessGroup& group) {
    const Samples samples = parallel::generate(group, model, seeds, options);
    if (!group.is_rank_zero()) return;
    EXPECT_TRUE(at::equal(samples.images, alone.images));
    EXPECT_TRUE(at::equal(samples.labels, alone.labels));
  });
}

}  // namespace
}  // namespace halfstep
