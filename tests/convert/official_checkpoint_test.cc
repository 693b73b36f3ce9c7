#include "halfstep/convert/official_checkpoint.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "halfstep/core/error.h"
#include "halfstep/diffusion/angle.h"
#include "halfstep/io/file.h"
#include "halfstep/io/json.h"
#include "halfstep/model/model_file.h"
#include "tests/io/temporary_folder.h"
#include "tests/support/expect_throws.h"
#include "tests/support/flax_parameters.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

struct Sample {
  explicit Sample(const std::string& name)
      : files((test::golden_folder() / "flax" / name).string()),
        settings(io::read_json(files + ".json")) {
    spec.network = test::unet_options(settings.at("config"));
    spec.output = output_channels(spec.network) == 6 ? Output::x_and_eps : Output::v;
  }

  std::filesystem::path checkpoint() const { return files + "_flax_ckpt.msgpack"; }
  // float32 images [2, C, 16, 16]
  Tensor images(const std::string& what, int64_t channels) const {
    const std::string bytes = io::read_file(files + "_" + what + ".bin");
    Tensor nhwc = at::empty({2, 16, 16, channels}, at::kFloat);
    EXPECT_EQ(bytes.size(), nhwc.nbytes());
    std::memcpy(nhwc.data_ptr(), bytes.data(), bytes.size());
    return test::nchw(nhwc);
  }

  std::string files;
  nlohmann::json settings;
  ModelSpec spec;
};

class OfficialCheckpoint : public ::testing::TestWithParam<std::string> {};

TEST_P(OfficialCheckpoint, GivesTheOutputOfTheOfficialCode) {
  const at::NoGradGuard no_grad;
  const Sample sample(GetParam());
  const Model model = import_official_checkpoint(sample.checkpoint(), sample.spec);
  EXPECT_EQ(count_parameters(model.network()), sample.settings.at("num_params").get<int64_t>());
  EXPECT_EQ(model.spec().sampling.num_steps, 8);
  EXPECT_EQ(model.spec().origin.updates, 123);
  const auto logsnr = sample.settings.at("logsnr").get<std::vector<double>>();
  const auto labels = sample.settings.at("y").get<std::vector<int64_t>>();
  const Condition condition{.labels = at::tensor(labels)};
  const Tensor out = model.network().forward(
      sample.images("x", 3), phi_of_logsnr(at::tensor(logsnr, at::kDouble)), condition);
  EXPECT_TENSOR_CLOSE(out, sample.images("out", output_channels(sample.spec.network)));
}

INSTANTIATE_TEST_SUITE_P(Samples, OfficialCheckpoint,
                         ::testing::Values("unet_small", "unet_small_convresample"),
                         [](const auto& info) { return info.param; });

TEST(ImportOfficialCheckpoint, SavesAndLoadsLikeOtherModels) {
  const io::TemporaryFolder folder;
  const Sample sample("unet_small");
  const Model model = import_official_checkpoint(sample.checkpoint(), sample.spec);
  model.save(folder / "model.safetensors");
  const Model read = Model::load(folder / "model.safetensors");
  EXPECT_EQ(read.spec().sampling.num_steps, 8);
  EXPECT_TRUE(at::equal(test::find(read.network().parameters(), "mid.attn_1.qkv.weight"),
                        test::find(model.network().parameters(), "mid.attn_1.qkv.weight")));
}

TEST(ImportOfficialCheckpoint, NamesTheArrayThatTheNetworkLacks) {
  const Sample sample("unet_small");
  const auto refused = [&](auto change, std::initializer_list<std::string_view> words) {
    ModelSpec spec = sample.spec;
    change(std::get<UNetOptions>(spec.network));
    test::expect_throws<FormatError>(
        words, [&] { import_official_checkpoint(sample.checkpoint(), spec); });
  };
  refused([](UNetOptions& network) { network.num_classes = 0; }, {"class_emb", "another's"});
  refused([](UNetOptions& network) { network.emb_ch = 64; }, {"class_emb/bias", "64", "[128]"});
  refused(
      [](UNetOptions& network) {
        network.attn_resolutions = {8, 16};
      },
      {"down_0.attn_0", "received none"});
}

// "flax version fix" of the official loader: a norm's scale may be [1, 1, 1, C].
TEST(FromFlax, EveryShapeOfAVectorIsTheSameVector) {
  const Tensor values = at::arange(6, at::kFloat);
  EXPECT_TRUE(at::equal(from_flax("norm_out/scale", values.view({1, 1, 1, 6}), {6}), values));
  EXPECT_TRUE(at::equal(from_flax("mid.attn_1/q/bias", values.view({2, 3}), {6}), values));
}

}  // namespace
}  // namespace halfstep
