#include "halfstep/model/spec_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "halfstep/core/error.h"
#include "tests/model/small_models.h"
#include "tests/support/expect_throws.h"
#include "tests/support/schedules.h"

namespace halfstep {
namespace {

using nlohmann::json;
using test::expect_throws;

// Every field differs from its default.
ModelSpec unusual_spec() {
  ModelSpec spec;
  spec.schedule = CosineSchedule{.clip = LogsnrRange{.min = -15.5, .max = 17.25}};
  spec.output = Output::x_and_eps;
  UNetOptions network = test::small_unet();
  network.out_channels = 6;
  network.num_heads.reset();
  network.head_dim = 16;
  network.dropout = 0.125;
  network.time_input = TimeInput::sigmoid;
  network.resblock_resample = false;
  network.num_classes = 2;
  network.guidance_ch = 16;
  spec.network = network;
  spec.has_null_class = true;
  spec.class_names = {"cat", "čáp \"x\""};
  spec.sampling = {.num_steps = 8,
                   .sampler = Sampler::ancestral,
                   .variance = 0.25,
                   .guidance_min = 1.0,
                   .guidance_max = 4.5};
  spec.origin = {.data = "cats",
                 .data_fingerprint = "abc",
                 .teacher_sha256 = "def",
                 .init_sha256 = "ghi",
                 .updates = 7,
                 .batch = 64,
                 .seed = 18446744073709551615u,
                 .version = "0.1.0"};
  return spec;
}

TEST(SpecJson, EveryFieldRoundTrips) {
  const ModelSpec spec = unusual_spec();
  const json written = json::parse(to_json(spec).dump());
  const ModelSpec read = spec_from_json(written, "test");
  EXPECT_EQ(to_json(read), written);
  EXPECT_EQ(read.output, spec.output);
  EXPECT_EQ(read.class_names, spec.class_names);
  EXPECT_EQ(read.sampling.num_steps, 8);
  EXPECT_EQ(read.sampling.sampler, Sampler::ancestral);
  EXPECT_EQ(read.sampling.variance, 0.25);
  EXPECT_EQ(read.sampling.guidance_min, 1.0);
  EXPECT_EQ(read.sampling.guidance_max, 4.5);
  EXPECT_TRUE(read.has_null_class);
  EXPECT_EQ(test::unet(read).ch_mult, test::unet(spec).ch_mult);
  EXPECT_EQ(test::unet(read).head_dim, 16);
  EXPECT_FALSE(test::unet(read).num_heads.has_value());
  EXPECT_EQ(test::unet(read).guidance_ch, 16);
  EXPECT_EQ(test::unet(read).time_input, TimeInput::sigmoid);
  EXPECT_EQ(read.origin.seed, spec.origin.seed);
}

TEST(SpecJson, DefaultsOfSamplingAreNotWritten) {
  ModelSpec spec = test::small_model().spec();
  json written = to_json(spec);
  EXPECT_EQ(written.at("num_steps"), 0);
  for (const char* key : {"sampler", "variance", "guidance_min", "guidance_max"})
    EXPECT_FALSE(written.contains(key)) << key;
  EXPECT_FALSE(written.at("network").contains("guidance_ch"));
  spec.sampling.sampler = Sampler::ancestral;
  written = to_json(spec);
  EXPECT_EQ(written.at("sampler"), "ancestral");
  EXPECT_FALSE(written.contains("variance"));
}

// Every field differs from its default.
UNet2dOptions unusual_unet2d() {
  return {.image_size = 16,
          .in_channels = 1,
          .out_channels = 2,
          .block_out_channels = {32, 64},
          .down_block_types = {DownBlock::resnet, DownBlock::attn},
          .up_block_types = {UpBlock::plain, UpBlock::resnet},
          .layers_per_block = 3,
          .add_attention = false,
          .attention_head_dim = std::nullopt,
          .downsample_type = ResampleType::resnet,
          .upsample_type = ResampleType::resnet,
          .downsample_padding = 0,
          .dropout = 0.125,
          .norm_num_groups = 4,
          .attn_norm_num_groups = 2,
          .norm_eps = 1e-6,
          .resnet_time_scale_shift = TimeScaleShift::scale_shift,
          .time_embedding_dim = 24,
          .freq_shift = 1,
          .flip_sin_to_cos = false,
          .num_classes = 2,
          .guidance_ch = 16,
          .num_train_timesteps = 100};
}

TEST(SpecJson, EveryFieldOfUNet2dRoundTrips) {
  const NetworkOptions network = unusual_unet2d();
  const json written = json::parse(to_json(network).dump());
  EXPECT_EQ(written["type"], "unet2d");
  const json defaults = to_json(NetworkOptions(UNet2dOptions{}));
  for (const auto& [key, value] : written.items())
    EXPECT_EQ(value == defaults[key], key == "type") << key;
  const NetworkOptions read = network_from_json(written, "test");
  EXPECT_EQ(to_json(read), written);
  EXPECT_EQ(std::get<UNet2dOptions>(read).up_block_types, unusual_unet2d().up_block_types);
}

TEST(SpecJson, EveryOutputRoundTrips) {
  ModelSpec spec = unusual_spec();
  for (const auto& [output, name] : EnumNames<Output>::kNames) {
    spec.output = output;
    EXPECT_EQ(to_json(spec)["output"], name);
    EXPECT_EQ(spec_from_json(to_json(spec), "test").output, output);
  }
}

TEST(SpecJson, EveryScheduleRoundTripsAsTheSameFunction) {
  for (const auto& [name, schedule] : test::all_schedules()) {
    SCOPED_TRACE(name);
    const json written = json::parse(to_json(schedule.options()).dump());
    const Schedule read(schedule_from_json(written, "test"));
    for (int i = 0; i <= 16; ++i) EXPECT_EQ(read.phi(i / 16.0), schedule.phi(i / 16.0));
  }
}

TEST(SpecJson, UnknownKeysAreNamed) {
  for (const char* pointer : {"/typo", "/network/typo", "/schedule/typo", "/origin/typo"}) {
    json written = to_json(unusual_spec());
    written[json::json_pointer(pointer)] = 1;
    expect_throws<FormatError>({"a model", "typo"}, [&] { spec_from_json(written, "a model"); });
  }
}

TEST(SpecJson, WrongTypesAreNamed) {
  for (const char* pointer :
       {"/output", "/num_steps", "/class_names", "/network/ch", "/origin/seed",
        "/schedule/logsnr_min", "/network/ch_mult", "/has_null_class"}) {
    json written = to_json(unusual_spec());
    written[json::json_pointer(pointer)] = json::object();
    const std::string key = std::string(pointer).substr(std::string(pointer).rfind('/') + 1);
    expect_throws<FormatError>({"a model", key}, [&] { spec_from_json(written, "a model"); });
  }
}

TEST(SpecJson, UnknownWordsAreNamedBesideTheKnownOnes) {
  json written = to_json(unusual_spec());
  written["output"] = "y";
  expect_throws<FormatError>({"output", "x_and_eps", "\"y\""},
                             [&] { spec_from_json(written, "a model"); });
}

TEST(SpecJson, MissingPartsAreNamed) {
  for (const char* key : {"version", "schedule", "network"}) {
    json written = to_json(unusual_spec());
    written.erase(key);
    expect_throws<FormatError>({"a model", key}, [&] { spec_from_json(written, "a model"); });
  }
}

TEST(SpecJson, OriginMayBeMissing) {
  json written = to_json(unusual_spec());
  written.erase("origin");
  EXPECT_EQ(spec_from_json(written, "a model").origin.data, "");
}

TEST(SpecJson, AnotherVersionIsRefused) {
  json written = to_json(unusual_spec());
  written["version"] = 2;
  expect_throws<FormatError>({"version", "expected 1", "received 2"},
                             [&] { spec_from_json(written, "a model"); });
}

TEST(SpecJson, UnknownKindsOfNetworkAndScheduleAreNamed) {
  json written = to_json(unusual_spec());
  written["network"]["type"] = "transformer";
  expect_throws<FormatError>({"network", "transformer"}, [&] { spec_from_json(written, "a"); });
  written = to_json(unusual_spec());
  written["schedule"] = {{"type", "sine"}};
  expect_throws<FormatError>({"schedule", "cosine", "sine"}, [&] { spec_from_json(written, "a"); });
}

TEST(SpecJson, CosineScheduleIsClippedOnBothEndsOrNone) {
  const json half = {{"type", "cosine"}, {"logsnr_min", nullptr}, {"logsnr_max", 20.0}};
  expect_throws<FormatError>({"logsnr_min and logsnr_max"},
                             [&] { schedule_from_json(half, "a model"); });
}

TEST(SpecJson, NonObjectsAreRefused) {
  EXPECT_THROW(spec_from_json(json::array(), "a"), FormatError);
  EXPECT_THROW(schedule_from_json("cosine", "a"), FormatError);
  json written = to_json(unusual_spec());
  written["network"] = 3;
  EXPECT_THROW(spec_from_json(written, "a"), FormatError);
}

}  // namespace
}  // namespace halfstep
