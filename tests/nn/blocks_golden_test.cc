// f0_layers: each building block, forward and its vector-Jacobian products with respect to input,
// embedding and parameters.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "halfstep/diffusion/angle.h"
#include "halfstep/nn/blocks.h"
#include "halfstep/nn/unet.h"
#include "tests/support/flax_parameters.h"
#include "tests/support/golden.h"

namespace halfstep {
namespace {

using test::Golden;

// Loads the arrays of one block under our names ("res_up/conv1/kernel" -> "res_up.conv1.weight").
void load_block(const Golden& golden, const std::string& block, Parameters& parameters) {
  for (const std::string& path : golden.keys("params/" + block + "/")) {
    const std::string full = block + "/" + path;
    Tensor part = part_of(full, test::find(parameters.named(), our_name(full)));
    part.copy_(from_flax(full, golden.at("params/" + full), part.sizes()));
  }
  parameters.changed();
  for (const NamedTensor& parameter : parameters.named()) {
    Tensor(parameter.tensor).requires_grad_();
  }
}

// Runs the block on in/<block>/x, channels-last as in networks, and propagates in/<block>/gy back.
void expect_official_block(const Golden& golden, const std::string& block, Parameters& parameters,
                           const std::function<Tensor(const Tensor& x)>& run) {
  SCOPED_TRACE(block);
  load_block(golden, block, parameters);
  Tensor x = golden.images("in/" + block + "/x").requires_grad_();
  const Tensor y = run(x.contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_GOLDEN(y, golden.expected("out/" + block + "/y").images());
  y.backward(golden.images("in/" + block + "/gy"));
  EXPECT_GOLDEN(x.grad(), golden.expected("out/" + block + "/gx").images());
  for (const std::string& path : golden.keys("out/" + block + "/g/")) {
    const std::string full = block + "/" + path;
    const Tensor gradient = test::find(parameters.named(), our_name(full)).grad();
    const test::Expected expected = golden.expected_gradient("out/" + block + "/g/", path);
    EXPECT_GOLDEN(test::to_flax(full, part_of(full, gradient), expected.value.sizes()), expected);
  }
}

// Takes the sizes of a convolution from its kernel.
void expect_official_conv(const Golden& golden, const std::string& block, int64_t stride) {
  const Tensor kernel = golden.at("params/" + block + "/kernel");
  Parameters parameters;
  const Conv conv(parameters, block,
                  {.in = kernel.size(2),
                   .out = kernel.size(3),
                   .kernel_size = kernel.size(0),
                   .stride = stride});
  expect_official_block(golden, block, parameters, [&](const Tensor& x) { return conv(x); });
}

TEST(ConvGolden, SamePaddingIsTheOfficialOneWithAndWithoutStride) {
  const Golden golden("f0_layers");
  expect_official_conv(golden, "conv3", 1);
  expect_official_conv(golden, "conv_s2", 2);
}

TEST(NormGolden, IsTheOfficialGroupNorm) {
  const Golden golden("f0_layers");
  Parameters parameters;
  const int64_t channels = golden.at("params/groupnorm64/scale").size(0);
  const Tensor weight = parameters.add("groupnorm64.weight", {channels}, Initializer::ones);
  const Tensor bias = parameters.add("groupnorm64.bias", {channels}, Initializer::zeros);
  expect_official_block(golden, "groupnorm64", parameters, [&](const Tensor& x) {
    return group_norm(x, weight.unsqueeze(0), bias.unsqueeze(0), {});
  });
}

TEST(ResampleGolden, UpIsTheOfficialNearestNeighbour) {
  const Golden golden("f0_layers");
  EXPECT_GOLDEN(resample(golden.images("in/up/x"), Resample::up),
                golden.expected("out/up/y").images());
}

TEST(ResnetBlockGolden, PlainWideningAndResamplingAreTheOfficialOnes) {
  const Golden golden("f0_layers");
  const std::vector<std::pair<std::string, Resample>> blocks = {{"res_plain", Resample::none},
                                                                {"res_32_64", Resample::none},
                                                                {"res_down", Resample::down},
                                                                {"res_up", Resample::up}};
  for (const auto& [name, how] : blocks) {
    const Tensor kernel = golden.at("params/" + name + "/conv1/kernel");
    Tensor emb = golden.at("in/" + name + "/emb").requires_grad_();
    Parameters parameters;
    const ResnetBlock block(parameters, name,
                            {.in = kernel.size(2),
                             .out = kernel.size(3),
                             .emb = emb.size(1),
                             .dropout = 0.0,
                             .resample = how});
    // The official block takes the embedding before its SiLU, ours after it.
    expect_official_block(golden, name, parameters, [&](const Tensor& x) {
      return block(x, at::silu(emb), /*dropout=*/std::nullopt);
    });
    EXPECT_GOLDEN(emb.grad(), golden.expected("out/" + name + "/gemb"));
  }
}

TEST(AttentionBlockGolden, OneTwoAndFourHeadsAreTheOfficialOnes) {
  const Golden golden("f0_layers");
  for (const std::string name : {"attn_h1", "attn_h2", "attn_hd8"}) {
    const Tensor kernel = golden.at("params/" + name + "/q/kernel");  // [C, heads, head_dim]
    Parameters parameters;
    const AttentionBlock block(parameters, name,
                               {.channels = kernel.size(0), .heads = kernel.size(1)});
    expect_official_block(golden, name, parameters, [&](const Tensor& x) { return block(x); });
  }
}

TEST(TimeEmbeddingGolden, IsTheOfficialSinusoidOfEveryTimeInput) {
  const Golden golden("f0_layers");
  // The file has log-SNRs beyond +-20. There halfstep clamps the input of the embedding, and the
  // official linear input does not. No schedule reaches them.
  const Tensor logsnr = golden.at("in/emb/logsnr");
  const Tensor inside = logsnr.abs() <= 20.0;
  const Tensor phi = phi_of_logsnr(logsnr.index({inside}));
  for (const std::string name : {"inv_cos", "linear", "sigmoid"}) {
    const test::Expected expected = golden.expected("out/emb/" + name + "/dim32");
    EXPECT_GOLDEN(time_embedding(phi, test::time_input_named(name), expected.value.size(1)),
                  expected.with(expected.value.index({inside})));
  }
}

}  // namespace
}  // namespace halfstep
