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
#include "tests/convert/diffusers_folders.h"
#include "tests/io/temporary_folder.h"
#include "tests/model/small_models.h"
#include "tests/support/golden.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::folder_of;
using test::tensors_of;
using test::weights_of;

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

}  // namespace
}  // namespace halfstep
