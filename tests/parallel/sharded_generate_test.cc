#include "halfstep/parallel/sharded_generate.h"

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <numeric>
#include <thread>

#include "tests/model/small_models.h"
#include "tests/parallel/run_ranks.h"
#include "tests/train/small_runs.h"

namespace halfstep::parallel {
namespace {

TEST(ShardedGenerate, RankZeroGetsTheImagesOfOneProcess) {
  REQUIRE_GLOO();
  const Model model = test::small_teacher();
  GenerateOptions options{.num_steps = 2, .batch = 2};
  // 3 batches for 2 processes, the last one smaller; then fewer batches than processes
  for (const size_t count : {5, 1}) {
    std::vector<uint64_t> seeds(count);
    std::iota(seeds.begin(), seeds.end(), uint64_t{7});
    options.class_labels.assign(count, 1);
    options.class_labels.back() = 0;
    Samples alone;
    std::thread([&] { alone = generate(model, seeds, options); }).join();
    test::run_ranks(2, [&](ProcessGroup& group) {
      const Samples samples = generate(group, model, seeds, options);
      EXPECT_EQ(samples.images.defined(), group.is_rank_zero());
      if (!group.is_rank_zero()) return;
      EXPECT_TRUE(at::equal(samples.images, alone.images));
      EXPECT_TRUE(at::equal(samples.labels, alone.labels));
    });
  }
}

TEST(ShardedGenerate, EachImageStartsFromItsOwnNoise) {
  REQUIRE_GLOO();
  const Model model = test::small_teacher();
  const GenerateOptions options{.num_steps = 1, .batch = 1};
  const std::vector<uint64_t> seeds = {1, 2, 3};
  const Tensor noise = test::random_z(test::unet(model.spec()), 3);
  Samples alone;
  std::thread([&] { alone = generate(model, seeds, options, noise); }).join();
  test::run_ranks(2, [&](ProcessGroup& group) {
    const Samples samples = generate(group, model, seeds, options, noise);
    if (group.is_rank_zero()) {
      EXPECT_TRUE(at::equal(samples.images, alone.images));
    }
  });
}

}  // namespace
}  // namespace halfstep::parallel
