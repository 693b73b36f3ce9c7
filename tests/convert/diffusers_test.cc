// Pipelines of diffusers with random weights, and what diffusers makes of them:
// tests/golden/make_diffusers.py.
#include "halfstep/convert/diffusers.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/diffusion/sample.h"
#include "halfstep/io/file.h"
#include "halfstep/io/json.h"
#include "halfstep/io/safetensors.h"
#include "halfstep/model/model_file.h"
#include "halfstep/model/spec_json.h"
#include "halfstep/model/tensor_io.h"
#include "tests/io/temporary_folder.h"
#include "tests/model/small_models.h"
#include "tests/support/expect_throws.h"
#include "tests/support/golden.h"
#include "tests/support/tensor_file.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::expect_throws;

constexpr double kSamplesTolerance = 2e-5;  // relative to the scale

struct Pipelines {
  std::vector<std::string> names;
  double network_tolerance;  // between float32 runs of two implementations, relative to the scale
};

// The pipelines in the repository by name, so that none is overlooked. With HALFSTEP_GOLDEN, which
// names a folder of random ones (make_diffusers.py --random), those that are there.
const Pipelines& pipelines() {
  static const Pipelines kPipelines = [] {
    if (test::golden_folder() == fs::path(HALFSTEP_GOLDEN_DIR)) {
      return Pipelines{.names = {"bare_middle", "classes", "defaults", "first", "no_attention",
                                 "odd", "zero_snr"},
                       .network_tolerance = 2e-6};
    }
    Pipelines drawn{.names = {}, .network_tolerance = 4e-6};  // the worst of 200: 2.3e-6
    for (const auto& entry : fs::directory_iterator(test::golden_folder() / "diffusers"))
      drawn.names.push_back(entry.path().filename());
    std::sort(drawn.names.begin(), drawn.names.end());
    return drawn;
  }();
  return kPipelines;
}

fs::path folder_of(const std::string& name) { return test::golden_folder() / "diffusers" / name; }

std::map<std::string, Tensor> tensors_of(const fs::path& file) {
  const io::SafetensorsFile contents(file);
  std::map<std::string, Tensor> tensors;
  for (const auto& [name, array] : contents.tensors()) tensors.emplace(name, to_tensor(array));
  return tensors;
}

fs::path weights_of(const fs::path& folder) {
  return folder / "unet" / "diffusion_pytorch_model.safetensors";
}

struct Expected {
  explicit Expected(const std::string& name)
      : tensors(tensors_of(folder_of(name) / "expected.safetensors")) {
    if (tensors.contains("label")) condition.labels = tensors.at("label");
  }
  std::map<std::string, Tensor> tensors;
  Condition condition;
};

const UNet2dOptions& unet2d(const ModelSpec& spec) { return std::get<UNet2dOptions>(spec.network); }

TEST(DiffusersPipelines, NetworkGivesTheOutputOfDiffusers) {
  const at::NoGradGuard no_grad;
  for (const std::string& name : pipelines().names) {
    SCOPED_TRACE(name);
    const Model model = import_diffusers(folder_of(name));
    const Expected expected(name);
    const Tensor t = expected.tensors.at("t").to(at::kDouble);
    const auto timesteps = static_cast<double>(unet2d(model.spec()).num_train_timesteps);
    const Tensor phi = Schedule(model.spec().schedule).phi((t + 1.0) / timesteps);
    const Tensor raw = model.network().forward(expected.tensors.at("z"), phi, expected.condition);
    const Tensor& wanted = expected.tensors.at("raw");
    EXPECT_TENSOR_NEAR(raw, wanted, pipelines().network_tolerance * test::scale_of(wanted));
  }
}

TEST(DiffusersPipelines, SamplesAreThoseOfDdimScheduler) {
  const at::NoGradGuard no_grad;
  for (const std::string& name : pipelines().names) {
    SCOPED_TRACE(name);
    const Model model = import_diffusers(folder_of(name));
    const Expected expected(name);
    const std::vector<double> grid = sampling_grid(
        Schedule(model.spec().schedule), expected.tensors.at("ddim_steps").item<int64_t>());
    const Tensor x = sample(make_denoiser(model.network(), model.spec().output),
                            expected.tensors.at("z"), grid, expected.condition, {.clip_x = false});
    const Tensor& wanted = expected.tensors.at("ddim");
    EXPECT_TENSOR_NEAR(x, wanted, kSamplesTolerance * test::scale_of(wanted));
  }
}

TEST(ImportDiffusers, ReadsTheSpec) {
  const ModelSpec defaults = import_diffusers(folder_of("defaults")).spec();
  EXPECT_EQ(defaults.output, Output::eps);
  EXPECT_TRUE(std::holds_alternative<LinearBetaSchedule>(defaults.schedule));
  EXPECT_EQ(defaults.sampling.num_steps, 0);
  const ModelSpec classes = import_diffusers(folder_of("classes")).spec();
  EXPECT_EQ(classes.output, Output::v);
  EXPECT_EQ(num_classes(classes.network), 3);
  EXPECT_FALSE(classes.has_null_class);
  EXPECT_TRUE(std::holds_alternative<TableSchedule>(classes.schedule));
  EXPECT_EQ(import_diffusers(folder_of("bare_middle")).spec().output, Output::x);
}

TEST(ImportDiffusers, NotesNameSchedulerSettingsThatAreNotKept) {
  const auto notes_of = [](const char* name) {
    std::string all;
    std::vector<std::string> notes;
    import_diffusers(folder_of(name), &notes);
    for (const std::string& note : notes) all += note + "\n";
    return all;
  };
  EXPECT_NE(notes_of("defaults").find("--no-clip"), std::string::npos);
  EXPECT_NE(notes_of("zero_snr").find("set_alpha_to_one"), std::string::npos);
  EXPECT_EQ(notes_of("first"), "");
}

TEST(DiffusersPipelines, ExportGivesTheSameTensorsAndSettings) {
  for (const std::string& name : pipelines().names) {
    if (name == "first") continue;  // is written with today's names
    SCOPED_TRACE(name);
    const io::TemporaryFolder folder;
    const fs::path out = folder / "model";
    export_diffusers(import_diffusers(folder_of(name)), out);
    const auto before = tensors_of(weights_of(folder_of(name)));
    const auto after = tensors_of(weights_of(out));
    ASSERT_EQ(after.size(), before.size());
    for (const auto& [tensor, value] : before)
      EXPECT_TRUE(at::equal(after.at(tensor), value)) << tensor;
    const json was = io::read_json(folder_of(name) / "unet" / "config.json");
    const json is = io::read_json(out / "unet" / "config.json");
    for (const auto& [key, value] : was.items()) {
      if (key.starts_with("_")) continue;
      EXPECT_EQ(is.value(key, json("nothing")), value) << key;
    }
  }
}

TEST(DiffusersPipelines, RoundTripGivesTheSameModel) {
  for (const std::string& name : pipelines().names) {
    SCOPED_TRACE(name);
    const Model model = import_diffusers(folder_of(name));
    const io::TemporaryFolder folder;
    export_diffusers(model, folder / "once");
    const Model once = import_diffusers(folder / "once");
    EXPECT_TRUE(test::same_parameters(once.network(), model.network()));
    EXPECT_EQ(to_json(once.spec().network), to_json(model.spec().network));
    EXPECT_EQ(once.spec().output, model.spec().output);
    // angles are written as betas in float32: equal up to their rounding once, and exactly after
    // that
    const Schedule schedule(model.spec().schedule);
    for (const double t : {0.001, 0.25, 0.5, 1.0})
      EXPECT_NEAR(Schedule(once.spec().schedule).phi(t), schedule.phi(t), 1e-6);
    export_diffusers(once, folder / "twice");
    for (const char* file : {"unet/config.json", "scheduler/scheduler_config.json",
                             "unet/diffusion_pytorch_model.safetensors"})
      EXPECT_EQ(io::read_file(folder / "twice" / file), io::read_file(folder / "once" / file));
  }
}

TEST(ImportDiffusers, KeepsSettingsThatDiffusersDoesNotHave) {
  const Model model = test::with_spec(import_diffusers(folder_of("classes")), [](ModelSpec& spec) {
    spec.sampling = {.num_steps = 4, .guidance_max = 2.0};
    spec.has_null_class = true;
    spec.class_names = {"cat", "dog", "owl"};
    spec.origin.data = "pets";
  });
  const io::TemporaryFolder folder;
  export_diffusers(model, folder / "model");
  EXPECT_EQ(tensors_of(weights_of(folder / "model")).at("class_embedding.weight").size(0), 4);
  const Model again = import_diffusers(folder / "model");
  EXPECT_TRUE(test::same_parameters(again.network(), model.network()));
  EXPECT_EQ(again.spec().sampling.num_steps, 4);
  EXPECT_EQ(again.spec().sampling.guidance_max, 2.0);
  EXPECT_TRUE(again.spec().has_null_class);
  EXPECT_EQ(again.spec().class_names, model.spec().class_names);
  EXPECT_EQ(again.spec().origin.data, "pets");
}

// A valid pipeline, for tests to damage.
class BrokenPipeline : public ::testing::Test {
 protected:
  BrokenPipeline() { fs::copy(folder_of("classes"), path, fs::copy_options::recursive); }

  void set(const char* file, const char* key, const json& value) const {
    json contents = io::read_json(path / file);
    contents[key] = value;
    io::write_json(path / file, contents);
  }

  void expect_refused(const char* file, const char* key, const json& value) const {
    SCOPED_TRACE(key);
    const std::string before = io::read_file(path / file);
    set(file, key, value);
    expect_throws<FormatError>({key}, [&] { import_diffusers(path); });
    io::write_file(path / file, before);
  }

  io::TemporaryFolder folder;
  fs::path path = folder / "model";
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
      {"out_channels", 6},  // a learned variance
      {"layers_per_block", 100000000},
      {"of_the_future", 1},
      {"_class_name", "UNet2DConditionModel"}};
  for (const auto& [key, value] : settings) expect_refused("unet/config.json", key, value);
}

TEST_F(BrokenPipeline, UnsupportedSchedulesAreNamed) {
  const std::vector<std::pair<const char*, json>> settings = {
      {"_class_name", "CMStochasticIterativeScheduler"},
      {"beta_schedule", "sigmoid"},
      {"prediction_type", "flow"},
      {"trained_betas", {0.1, 0.2}},
      {"num_train_timesteps", 1}};
  for (const auto& [key, value] : settings)
    expect_refused("scheduler/scheduler_config.json", key, value);
  set("scheduler/scheduler_config.json", "prediction_type", "epsilon");
  set("scheduler/scheduler_config.json", "rescale_betas_zero_snr", true);
  expect_throws<FormatError>({"eps"}, [&] { import_diffusers(path); });
}

TEST_F(BrokenPipeline, OtherPipelinesAndMissingFilesAreNamed) {
  expect_refused("model_index.json", "_class_name", "StableDiffusionPipeline");
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
        spec.network = TorchScriptOptions{.shape = {1, 8, 8}, .out_channels = 1};
      },
      {"network", "TorchScript"});
}

}  // namespace
}  // namespace halfstep
