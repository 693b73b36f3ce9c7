// The device without hardware, and what is copied to it and from it.
#include "tests/device/fake_device.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "halfstep/diffusion/angle.h"
#include "halfstep/model/generate.h"
#include "tests/device/first_stage.h"
#include "tests/model/small_models.h"
#include "tests/support/random_tensors.h"
#include "tests/train/small_runs.h"

namespace halfstep {
namespace {

using test::fake_device;

TEST(FakeDevice, RefusesTensorsOfTwoDevices) {
  const Tensor there = at::ones({4}, at::TensorOptions().device(fake_device()));
  EXPECT_THROW(there + at::ones({4}), c10::Error);
  EXPECT_TRUE(at::equal((there + there).cpu(), at::full({4}, 2.0)));
}

TEST(FakeDevice, EndsAProcessThatReadsItsMemory) {
  const Tensor there = at::ones({4}, at::TensorOptions().device(fake_device()));
  EXPECT_DEATH(std::printf("%f\n", there.data_ptr<float>()[0]), "");
}

TEST(FakeDevice, CountsCopies) {
  const test::CountCopies copies;
  const Tensor there = at::ones({4}).to(fake_device());
  EXPECT_EQ(copies.uploads(), 1);
  (void)at::silu(there * there);
  EXPECT_EQ(copies.downloads(), 0);
  (void)there.sum().item<float>();
  (void)there.cpu();
  EXPECT_EQ(copies.downloads(), 2);
  (void)per_example(there, test::float64_vector({1, 2, 3, 4}));
  EXPECT_EQ(copies.uploads(), 2);
  EXPECT_EQ(copies.waits(), 4);
  const Tensor pinned = at::ones({4}).pin_memory();
  (void)pinned.to(fake_device(), /*non_blocking=*/true);
  EXPECT_EQ(copies.waits(), 4);
  (void)pinned.to(fake_device());
  EXPECT_EQ(copies.waits(), 5);
  EXPECT_NE(copies.places().find("1 x upload: halfstep::per_example"), std::string::npos)
      << copies.places();
}

// Counts the copies of an update of the first stage, after `before` others.
void expect_few_copies(const RunOptions& options, uint64_t before = 1) {
  test::FirstStage stage(options, fake_device());
  for (uint64_t update = 0; update < before; ++update) stage.make_update(update);
  const test::CountCopies copies;
  stage.make_update(before);
  EXPECT_EQ(copies.uploads(), 2) << copies.places();    // pixels; angles, labels and weights
  EXPECT_EQ(copies.downloads(), 1) << copies.places();  // loss and norms
  EXPECT_EQ(copies.waits(), 1) << copies.places();
}

TEST(DeviceCopies, AreThreeInAnUpdateOfEveryMethod) {
  expect_few_copies(test::small_training());                // with dropout
  expect_few_copies(test::small_training(), /*before=*/4);  // by a graph
  expect_few_copies(test::small_distillation());
  expect_few_copies(test::small_guidance());
  expect_few_copies(test::small_guidance_range());
  expect_few_copies(test::small_refinement());
  expect_few_copies(test::small_matching());
  expect_few_copies(test::small_matching(), /*before=*/20);  // the student moves, too
}

TEST(DeviceCopies, AreNoneInASamplingStep) {
  const Model model = test::small_model(/*num_classes=*/3).on(fake_device(), Precision::fp32);
  std::string places;
  const auto count = [&](int64_t steps) {
    const test::CountCopies copies;
    (void)generate(model, {5, 6, 7}, {.num_steps = steps});
    places = copies.places();
    return std::pair(copies.uploads(), copies.downloads());
  };
  const auto [uploads, downloads] = count(2);
  const auto [more_uploads, more_downloads] = count(3);
  EXPECT_EQ(more_uploads, uploads) << places;
  EXPECT_EQ(more_downloads, downloads) << places;
}

}  // namespace
}  // namespace halfstep
