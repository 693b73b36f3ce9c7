// f_unet_*: whole networks with every parameter random. h_sample_*: sampling loops with them.
// The outputs of the inner modules of A are not compared, because the class does not expose them;
// f0_layers covers the blocks.
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <string>

#include "halfstep/diffusion/angle.h"
#include "halfstep/diffusion/sample.h"
#include "halfstep/nn/unet.h"
#include "tests/support/flax_parameters.h"
#include "tests/support/golden.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

using test::Golden;

class UNetGolden : public ::testing::TestWithParam<std::string> {};
class SampleGolden : public ::testing::TestWithParam<std::string> {};

TEST_P(UNetGolden, OutputIsTheOfficialOneForEveryTimeInput) {
  const at::NoGradGuard no_grad;
  const Golden golden("f_unet_" + GetParam());
  for (const std::string& time_input : golden.strings("variants")) {
    SCOPED_TRACE(time_input);
    UNetOptions options = test::unet_options(golden);
    options.time_input = test::time_input_named(time_input);
    UNet network(options);
    test::load_flax(golden, "params/", network);
    EXPECT_EQ(count_parameters(network), golden.settings().at("num_params").get<int64_t>());
    const Condition condition{.labels = golden.at("in/y")};
    const Tensor out =
        network.forward(golden.images("in/x"), phi_of_logsnr(golden.at("in/logsnr")), condition);
    EXPECT_GOLDEN(out, golden.expected("out/" + time_input + "/y").images());
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, UNetGolden, ::testing::Values("A", "B", "C", "E"),
                         [](const auto& info) { return info.param; });

// The network and the noise of one file of sampling loops.
struct SampleCase {
  explicit SampleCase(const std::string& letter)
      : golden("h_sample_" + letter), network(test::unet_options(golden)) {
    test::load_flax(Golden("f_unet_" + letter), "params/", network);
  }

  // The number of steps is part of the key: "ddim_clip1/N4".
  Tensor run(const std::string& key, SampleOptions options) const {
    const at::NoGradGuard no_grad;
    const auto num_steps = std::stoll(key.substr(key.rfind('N') + 1));
    const Output output = test::output_named(golden.strings("mean_types").at(0));
    const Denoiser denoiser = [&](const Tensor& z, const Tensor& phi, const Condition& condition) {
      return predict(output, network.forward(z, phi, condition), z, phi);
    };
    const Tensor noise = test::nchw(golden.at("in/noise"));
    const Condition condition{.labels = golden.at("in/y")};
    // The official loop counts its steps from 0.
    return sample(denoiser, golden.images("in/init_x"), sampling_grid(golden.schedule(), num_steps),
                  condition, options, [&](int64_t step) { return noise[step - 1]; });
  }

  Golden golden;
  UNet network;
};

TEST_P(SampleGolden, DdimLoopIsTheOfficialOne) {
  const SampleCase sampling(GetParam());
  for (const std::string& key : sampling.golden.keys("out/ddim_")) {  // "clip1/N4"
    SCOPED_TRACE(key);
    const SampleOptions options{.sampler = Sampler::ddim, .clip_x = key.starts_with("clip1")};
    EXPECT_GOLDEN(sampling.run(key, options), sampling.golden.expected("out/ddim_" + key).images());
  }
}

// The vectors hold the official float before it is truncated; ours is the nearest integer.
TEST_P(SampleGolden, PixelsAreTheNearestLevelsOfTheOfficialOnes) {
  const SampleCase sampling(GetParam());
  for (const std::string& key : sampling.golden.keys("out/uint_")) {  // "N4"
    const test::Expected official = sampling.golden.expected("out/uint_" + key).images();
    const Tensor levels = to_uint8(sampling.run(key, {.sampler = Sampler::ddim, .clip_x = true}));
    EXPECT_TENSOR_NEAR(levels, official.value, 0.5 + official.tolerance);
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, SampleGolden, ::testing::Values("A", "B", "C"),
                         [](const auto& info) { return info.param; });

TEST(AncestralSamplerGolden, LoopWithGivenNoiseIsTheOfficialOne) {
  const SampleCase sampling("A");
  for (const std::string& key : sampling.golden.keys("out/noisy_fixed_")) {  // "large/N8"
    SCOPED_TRACE(key);
    const SampleOptions options{.sampler = Sampler::ancestral,
                                .variance = key.starts_with("large") ? 1.0 : 0.0,
                                .clip_x = true};
    EXPECT_GOLDEN(sampling.run(key, options),
                  sampling.golden.expected("out/noisy_fixed_" + key).images());
  }
}

}  // namespace
}  // namespace halfstep
