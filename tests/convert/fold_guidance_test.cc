#include "halfstep/convert/fold_guidance.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "halfstep/convert/convert.h"
#include "halfstep/convert/diffusers.h"
#include "halfstep/core/error.h"
#include "halfstep/io/file.h"
#include "tests/io/temporary_folder.h"
#include "tests/model/small_models.h"
#include "tests/support/expect_throws.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

using test::expect_throws;

ModelSpec spec_with(const NetworkOptions& network) {
  ModelSpec spec{.schedule = CosineSchedule{.clip = std::nullopt},
                 .network = network,
                 .has_null_class = true,
                 .sampling = {.num_steps = 4, .guidance_min = 1.0, .guidance_max = 5.0}};
  set_guidance_channels(spec.network, 32);
  return spec;
}

Model official() {
  UNetOptions options = test::small_unet();
  options.num_classes = 3;
  const ModelSpec spec = spec_with(options);
  return {spec, test::random_unet(test::unet(spec))};
}

Model unet2d() {
  UNet2dOptions options = test::small_unet2d();
  options.num_classes = 3;
  const ModelSpec spec = spec_with(options);
  return {spec, test::random_unet(plan_of(std::get<UNet2dOptions>(spec.network), spec.schedule))};
}

TEST(FoldGuidance, EqualsTheInput) {
  const at::NoGradGuard no_grad;
  for (const Model& model : {official(), unet2d()}) {
    const std::vector<int64_t> shape = input_shape(model.spec().network);
    const Tensor z = at::randn({4, shape[0], shape[1], shape[2]}, at::kFloat);
    const Tensor phi = test::spread_angles(4);
    Condition condition{.labels = at::tensor(std::vector<int64_t>{0, 2, kNullLabel, 1})};
    for (const double w : {1.0, 2.0, 4.5}) {
      const Model folded = fold_guidance(model, w);
      EXPECT_NO_THROW(validate(folded.spec()));
      EXPECT_EQ(folded.spec().sampling.fixed_guidance(), w);
      EXPECT_EQ(guidance_channels(folded.spec().network), 0);
      condition.guidance = at::full({4}, w, at::kFloat);
      const Tensor expected = model.network().forward(z, phi, condition);
      condition.guidance = Tensor();
      const Tensor got = folded.network().forward(z, phi, condition);
      EXPECT_TENSOR_NEAR(got, expected, test::kFloat32Tolerance * 10.0 * test::scale_of(expected));
    }
  }
}

TEST(FoldGuidance, WeightsOutsideTheRangeAndOrdinaryModelsAreRefused) {
  expect_throws<ConfigError>({"guidance", "from 1 to 5", "received 6"},
                             [] { fold_guidance(official(), 6.0); });
  expect_throws<ConfigError>({"guidance", "expected none", "received 2"},
                             [] { fold_guidance(test::small_model(3), 2.0); });
}

TEST(FoldGuidance, ADiffusersFolderNeedsTheWeight) {
  const io::TemporaryFolder folder;
  for (const Model& model : {official(), unet2d()}) {
    const auto file = folder / "model.safetensors";
    model.save(file);
    expect_throws<ConfigError>({"guidance", "from 1 to 5", "--guidance"},
                               [&] { convert_model(file, folder / "out"); });
    convert_model(file, folder / "out", {.guidance = 2.5});
    EXPECT_NE(io::read_file(folder / "out" / "README.md").find("guidance of weight 2.5"),
              std::string::npos);
    const Model again = import_diffusers(folder / "out");
    EXPECT_EQ(again.spec().sampling.fixed_guidance(), 2.5);
    EXPECT_EQ(again.spec().sampling.num_steps, 4);
    std::filesystem::remove_all(folder / "out");
  }
}

}  // namespace
}  // namespace halfstep
