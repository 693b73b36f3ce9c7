#include "halfstep/serve/served_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "halfstep/core/error.h"
#include "halfstep/model/generate.h"
#include "halfstep/model/model_file.h"
#include "tests/model/small_models.h"
#include "tests/support/expect_throws.h"

namespace halfstep {
namespace {

using http::Row;

std::vector<uint8_t> pixels_of(const Tensor& image) {
  const Tensor rows = image.permute({1, 2, 0}).contiguous();
  return {rows.data_ptr<uint8_t>(), rows.data_ptr<uint8_t>() + rows.numel()};
}

TEST(ServedModel, DrawsWhatGenerateDraws) {
  const Model model = test::small_model(10);
  const http::ServedModel served = served_model("a", model, {.teacher_steps = 3});
  const std::vector<Row> rows = {{.seed = 5}, {.seed = 2}};
  const auto drawn = served.draw(rows, {}).value();
  const Samples samples = generate(model, {5, 2}, {.num_steps = 3});
  for (int64_t i = 0; i < 2; ++i) {
    const http::Drawn& one = drawn[static_cast<size_t>(i)];
    EXPECT_EQ(one.image.pixels, pixels_of(samples.images[i]));
    EXPECT_EQ(one.image.channels, 3);
    EXPECT_EQ(one.label, samples.labels[i].item<int64_t>());
  }
}

TEST(ServedModel, AFixedBatchMakesAnImageIndependentOfTheOthers) {
  const Model model = test::small_model(10);
  const http::ServedModel served = served_model("a", model, {.teacher_steps = 2, .fixed_batch = 4});
  const auto alone = served.draw(std::vector<Row>{{.seed = 5, .label = 1}}, {}).value();
  ASSERT_EQ(alone.size(), 1u);
  const auto together =
      served.draw(std::vector<Row>{{.seed = 7}, {.seed = 5, .label = 1}, {.seed = 9}}, {}).value();
  EXPECT_EQ(alone[0].image.pixels, together[1].image.pixels);
}

TEST(ServedModel, RestoresTheImageOfARow) {
  UNetOptions options = test::small_unet();
  options.condition_ch = 4;
  const ModelSpec spec{.network = options, .condition = {.kind = ImageCondition::Kind::inpainting}};
  const Model model(spec, test::random_unet(options));
  const http::ServedModel served = served_model("a", model, {.teacher_steps = 2});
  ASSERT_TRUE(served.input);
  EXPECT_EQ(served.input->condition, "inpainting");
  EXPECT_EQ(served.input->width, 8);
  EXPECT_EQ(served.input->channels, 3);
  EXPECT_TRUE(served.input->takes_mask);
  auto known = std::make_shared<http::Known>();
  known->image = {.width = 8, .height = 8, .channels = 3, .pixels = std::vector<uint8_t>(192, 50)};
  known->mask = {.width = 8, .height = 8, .channels = 1, .pixels = std::vector<uint8_t>(64, 0)};
  std::fill_n(known->mask->pixels.begin(), 32, uint8_t{255});  // the upper half is filled in
  const auto drawn = served.draw(std::vector<Row>{{.seed = 5, .known = known}}, {}).value();
  Tensor mask = at::ones({1, 1, 8, 8}, at::kBool);
  mask.narrow(2, 0, 4).fill_(false);
  const Samples samples = generate(
      model, {5},
      {.num_steps = 2,
       .known = {.pixels = at::full({1, 3, 8, 8}, 50, at::TensorOptions().dtype(at::kByte)),
                 .mask = mask}});
  EXPECT_EQ(drawn[0].image.pixels, pixels_of(samples.images[0]));
  EXPECT_EQ(samples.images[0][0][7][7].item<int>(), 50);
  EXPECT_FALSE(served_model("b", test::small_model(), {.teacher_steps = 1}).input);
}

TEST(ServedModel, DescribesTheModel) {
  const Model model = test::small_model(10);
  const http::ServedModel served = served_model("a", model, {.teacher_steps = 3});
  EXPECT_EQ(served.sha256, sha256_of(model));
  EXPECT_EQ(served.steps, 3);
  EXPECT_FALSE(served.distilled);
  EXPECT_EQ(served.width, 8);
  EXPECT_EQ(served.channels, 3);
  EXPECT_EQ(served.num_classes, 10);
  EXPECT_TRUE(served.guidance.doubles_calls);
  EXPECT_EQ(served.guidance.value, 1.0);
  EXPECT_TRUE(served_model("b", test::small_model(), {.teacher_steps = 1}).guidance.is_fixed());
  const Model student = test::with_spec(model, [](ModelSpec& spec) {
    spec.sampling = {.num_steps = 2, .guidance_min = 3.0, .guidance_max = 3.0};
  });
  const http::ServedModel fixed = served_model("c", student, {.teacher_steps = 64});
  EXPECT_EQ(fixed.steps, 2);
  EXPECT_TRUE(fixed.guidance.is_fixed());
  EXPECT_EQ(fixed.guidance.value, 3.0);
}

TEST(ServedModel, RefusesWhatCannotBeServed) {
  test::expect_throws<ConfigError>({"steps"}, [] { (void)served_model("a", test::small_model()); });
  UNetOptions options = test::small_unet();
  options.in_channels = options.out_channels = 4;
  const Model latent({.network = options}, test::random_unet(options, 1));
  test::expect_throws<ConfigError>({"a", "1 or 3 channels"},
                                   [&] { (void)served_model("a", latent, {.teacher_steps = 1}); });
}

}  // namespace
}  // namespace halfstep
