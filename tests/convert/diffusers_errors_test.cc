// Damaged pipelines of diffusers, and models that diffusers cannot express.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "halfstep/convert/diffusers.h"
#include "halfstep/core/error.h"
#include "halfstep/io/file.h"
#include "tests/convert/diffusers_folders.h"
#include "tests/io/temporary_folder.h"
#include "tests/model/small_models.h"
#include "tests/support/expect_throws.h"
#include "tests/support/tensor_file.h"

namespace halfstep {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::expect_throws;
using test::folder_of;
using test::kSchedulerConfig;
using test::kUnetConfig;
using test::tensors_of;
using test::weights_of;

class BrokenPipeline : public test::CopiedPipeline {
 protected:
  void expect_refused(const char* file, const char* key, const json& value) const {
    SCOPED_TRACE(key);
    const std::string before = io::read_file(path / file);
    set(file, key, value);
    expect_throws<FormatError>({key}, [&] { import_diffusers(path); });
    io::write_file(path / file, before);
  }
};

TEST_F(BrokenPipeline, UnsupportedNetworkSettingsAreNamed) {
  const std::vector<std::pair<const char*, json>> settings = {
      {"act_fn", "gelu"},
      {"attention_legacy_order", true},
      {"center_input_sample", true},
      {"class_embed_type", "timestep"},
      {"mid_block_scale_factor", 1.414},
      {"mid_block_type", nullptr},
      {"time_embedding_type", "fourier"},
      {"down_block_types", {"SkipDownBlock2D", "AttnDownBlock2D"}},
      {"up_block_types", {"UpBlock2D"}},
      {"resnet_time_scale_shift", "ada_group"},
      {"sample_size", {8, 16}},
      {"sample_size", nullptr},
      {"norm_num_groups", 3},
      {"norm_num_groups", nullptr},
      {"attention_head_dim", 3},
      {"num_class_embeds", 1},
      {"downsample_padding", 2},
      {"freq_shift", 2},
      {"layers_per_block", 100000000},
      {"_class_name", "UNet2DConditionModel"}};
  for (const auto& [key, value] : settings) expect_refused(kUnetConfig, key, value);
  set(kUnetConfig, "out_channels", 6);
  expect_throws<FormatError>({"out_channels", "learned variances"},
                             [&] { import_diffusers(path); });
  set(kUnetConfig, "out_channels", 3);
  set(kUnetConfig, "in_channels", 5);
  expect_throws<FormatError>({"in_channels", "conditions"}, [&] { import_diffusers(path); });
}

TEST_F(BrokenPipeline, UnsupportedSchedulesAreNamed) {
  const std::vector<std::pair<const char*, json>> settings = {
      {"_class_name", "CMStochasticIterativeScheduler"},
      {"_class_name", "FlowMatchEulerDiscreteScheduler"},
      {"_class_name", "LCMScheduler"},
      {"_class_name", nullptr},
      {"beta_schedule", "sigmoid"},
      {"prediction_type", "flow"},
      {"trained_betas", {0.1, 0.2}},
      {"num_train_timesteps", 1}};
  for (const auto& [key, value] : settings) expect_refused(kSchedulerConfig, key, value);
  set(kSchedulerConfig, "prediction_type", "epsilon");
  set(kSchedulerConfig, "rescale_betas_zero_snr", true);
  expect_throws<FormatError>({"eps"}, [&] { import_diffusers(path); });
}

TEST_F(BrokenPipeline, SamplersThatWereMadeForOtherNoiseAreNamed) {
  set(kSchedulerConfig, "_class_name", "EulerDiscreteScheduler");
  expect_refused(kSchedulerConfig, "timestep_type", "continuous");
  expect_refused(kSchedulerConfig, "use_flow_sigmas", true);
  expect_refused(kSchedulerConfig, "beta_start", nullptr);
  // HeunDiscreteScheduler.from_config puts its own betas where those of training are the usual.
  set(kSchedulerConfig, "_class_name", "HeunDiscreteScheduler");
  set(kSchedulerConfig, "beta_start", 0.00085);
  set(kSchedulerConfig, "beta_end", 0.012);
  import_diffusers(path);  // scaled_linear: those of latent diffusion
  set(kSchedulerConfig, "beta_schedule", "linear");
  expect_throws<FormatError>({"beta_start", "HeunDiscreteScheduler", "DDPMScheduler"},
                             [&] { import_diffusers(path); });
}

TEST_F(BrokenPipeline, OtherPipelinesAndMissingFilesAreNamed) {
  expect_refused("model_index.json", "_class_name", nullptr);
  expect_refused("model_index.json", "vqvae", {"diffusers", "VQModel"});
  fs::remove(weights_of(path));
  expect_throws<IoError>({"diffusion_pytorch_model.safetensors", "save_pretrained"},
                         [&] { import_diffusers(path); });
  fs::remove(path / "scheduler" / "scheduler_config.json");
  expect_throws<IoError>({"scheduler_config.json"}, [&] { import_diffusers(path); });
}

TEST_F(BrokenPipeline, WrongTensorsAreNamed) {
  const auto refused = [&](const char* name, const Tensor& value) {
    test::TensorFile file{.tensors = tensors_of(weights_of(folder_of("classes"))), .metadata = {}};
    if (value.defined()) {
      file.tensors[name] = value;
    } else {
      file.tensors.erase(name);
    }
    file.write(weights_of(path));
    expect_throws<FormatError>({name}, [&] { import_diffusers(path); });
  };
  refused("conv_out.bias", {});
  refused("one_more", at::zeros({1}));
  refused("mid_block.attentions.0.to_k.weight", at::zeros({4, 8}));
  refused("mid_block.attentions.0.to_v.weight", at::zeros({}));
}

TEST(ExportDiffusers, UnsupportedModelsAreNamed) {
  const io::TemporaryFolder folder;
  const auto refused = [&](void (*change)(ModelSpec&),
                           std::initializer_list<std::string_view> words) {
    const Model model = test::with_spec(test::small_model(), change);
    expect_throws<ConfigError>(words, [&] { export_diffusers(model, folder / "model"); });
    EXPECT_FALSE(fs::exists(folder / "model" / "model_index.json"));
  };
  refused([](ModelSpec& spec) { spec.sampling.num_steps = 16; }, {"num_steps", "1000", "16"});
  refused([](ModelSpec& spec) { spec.sampling.sampler = Sampler::ancestral; },
          {"sampler", "ddim", "ancestral"});
  refused([](ModelSpec& spec) { spec.output = Output::x_and_eps; }, {"output", "x_and_eps"});
  refused([](ModelSpec& spec) { spec.schedule = LinearBetaSchedule{}; }, {"schedule", "cosine"});
  refused([](ModelSpec& spec) { test::unet(spec).time_input = TimeInput::sigmoid; },
          {"time_input", "inv_cos", "sigmoid"});
  refused([](ModelSpec& spec) { test::unet(spec).ch_mult = {2, 2}; }, {"ch_mult"});
  refused(
      [](ModelSpec& spec) {
        test::unet(spec).num_heads = 4;
        test::unet(spec).attn_resolutions = {4, 8};
      },
      {"num_heads"});
  refused(
      [](ModelSpec& spec) {
        spec.network = TorchScriptOptions{{.shape = {1, 8, 8}, .out_channels = 1}};
      },
      {"network", "TorchScript"});
}

}  // namespace
}  // namespace halfstep
