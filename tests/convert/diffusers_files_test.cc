// Pipelines as people save them: averages, checkpoints of training, compiled networks, shards and
// variants of the weights, samplers in place of the scheduler of training.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "halfstep/convert/convert.h"
#include "halfstep/convert/diffusers.h"
#include "halfstep/core/error.h"
#include "halfstep/io/file.h"
#include "halfstep/io/json.h"
#include "halfstep/model/spec_json.h"
#include "tests/convert/diffusers_folders.h"
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

class SavedPipeline : public test::CopiedPipeline {
 protected:
  // Imports the pipeline, expects the model that the unchanged one is, and returns the notes.
  std::vector<std::string> expect_same_model() const {
    std::vector<std::string> notes;
    const Model model = import_diffusers(path, &notes);
    const Model wanted = import_diffusers(folder_of("classes"));
    EXPECT_TRUE(test::same_parameters(model.network(), wanted.network()));
    EXPECT_EQ(to_json(model.spec()), to_json(wanted.spec()));
    return notes;
  }

  // Writes the weights as files of these names, tensors in turn, with an index or without.
  void write_weights(const std::vector<std::string>& names, const std::string& index = {}) const {
    std::vector<test::TensorFile> files(names.size());
    json weight_map = json::object();
    size_t next = 0;
    for (const auto& [name, tensor] : weights) {
      files[next % names.size()].tensors[name] = tensor;
      weight_map[name] = names[next++ % names.size()];
    }
    fs::remove(weights_of(path));
    for (size_t i = 0; i < names.size(); ++i) files[i].write(path / "unet" / names[i]);
    if (!index.empty()) io::write_json(path / "unet" / index, {{"weight_map", weight_map}});
  }

  std::map<std::string, Tensor> weights = tensors_of(weights_of(folder_of("classes")));
};

bool mentions(const std::vector<std::string>& notes, const std::string& word) {
  for (const std::string& note : notes) {
    if (note.find(word) != std::string::npos) return true;
  }
  return false;
}

TEST_F(SavedPipeline, KeysThatAreNotOfTheNetworkArePassedOverWithANote) {
  EXPECT_FALSE(mentions(expect_same_model(), "passed over"));
  for (const char* key : {"decay", "inv_gamma", "power", "use_ema_warmup"})
    set(kUnetConfig, key, 0.75);
  const std::vector<std::string> notes = expect_same_model();
  EXPECT_TRUE(mentions(notes, "\"decay\", \"inv_gamma\", \"power\", \"use_ema_warmup\""));
}

TEST_F(SavedPipeline, PrefixesOfWrappersAreTakenOff) {
  for (const char* prefix : {"_orig_mod.", "module.", "_orig_mod.module.", "module._orig_mod."}) {
    SCOPED_TRACE(prefix);
    test::TensorFile file;
    for (const auto& [name, tensor] : weights) file.tensors[prefix + name] = tensor;
    file.write(weights_of(path));
    expect_same_model();
    file.tensors["conv_in.weight"] = weights.at("conv_in.weight");
    file.write(weights_of(path));
    expect_throws<FormatError>({"conv_in.weight", "prefix"}, [&] { import_diffusers(path); });
  }
  test::TensorFile other;
  for (const auto& [name, tensor] : weights) other.tensors["net." + name] = tensor;
  other.write(weights_of(path));
  expect_throws<FormatError>({"such as \"net."}, [&] { import_diffusers(path); });
}

TEST_F(SavedPipeline, ShardsAreReadThroughTheirIndex) {
  write_weights({"a-00001-of-00002.safetensors", "a-00002-of-00002.safetensors"},
                "diffusion_pytorch_model.safetensors.index.json");
  expect_same_model();
  fs::remove(path / "unet/a-00002-of-00002.safetensors");
  expect_throws<IoError>({"a-00002-of-00002.safetensors"}, [&] { import_diffusers(path); });
}

TEST_F(SavedPipeline, IndexNamesFilesInItsFolderOnly) {
  const fs::path index = path / "unet/diffusion_pytorch_model.safetensors.index.json";
  fs::copy(weights_of(path), folder / "outside.safetensors");
  for (const char* name : {"../../outside.safetensors", "/etc/passwd", "", ".", "config.json"}) {
    SCOPED_TRACE(name);
    io::write_json(index, {{"weight_map", {{"conv_in.bias", name}}}});
    expect_throws<FormatError>({"weight_map", "conv_in.bias"}, [&] { import_diffusers(path); });
  }
  io::write_json(index, {{"weight_map", {{"conv_in.bias", 1}}}});
  expect_throws<FormatError>({"weight_map", "number"}, [&] { import_diffusers(path); });
  io::write_json(index, {{"weight_map", {{"more", weights_of(path).filename()}}}});
  expect_throws<FormatError>({"\"more\"", "received in none"}, [&] { import_diffusers(path); });
}

TEST_F(SavedPipeline, OnlyVariantIsReadWithANote) {
  write_weights({"diffusion_pytorch_model.fp16.safetensors"});
  EXPECT_TRUE(mentions(expect_same_model(), "fp16"));
  fs::copy(path / "unet/diffusion_pytorch_model.fp16.safetensors",
           path / "unet/diffusion_pytorch_model.non_ema.safetensors");
  expect_throws<FormatError>({"fp16", "non_ema"}, [&] { import_diffusers(path); });
  fs::copy(weights_of(folder_of("classes")), weights_of(path));
  EXPECT_FALSE(mentions(expect_same_model(), "fp16"));
  fs::remove(weights_of(path));
  fs::remove(path / "unet/diffusion_pytorch_model.fp16.safetensors");
  fs::remove(path / "unet/diffusion_pytorch_model.non_ema.safetensors");
  write_weights({"diffusion_pytorch_model.fp16-00001-of-00002.safetensors",
                 "diffusion_pytorch_model.fp16-00002-of-00002.safetensors"},
                "diffusion_pytorch_model.safetensors.index.fp16.json");
  EXPECT_TRUE(mentions(expect_same_model(), "fp16"));
}

TEST_F(SavedPipeline, SamplersHaveTheNoiseOfTraining) {
  for (const char* name : {"DPMSolverMultistepScheduler", "EulerDiscreteScheduler", "PNDMScheduler",
                           "UniPCMultistepScheduler", "LMSDiscreteScheduler"}) {
    SCOPED_TRACE(name);
    set(kSchedulerConfig, "_class_name", name);
    EXPECT_TRUE(mentions(expect_same_model(), name));
  }
  std::string text = io::read_file(path / kSchedulerConfig);
  text.insert(text.find('{') + 1, "\"lambda_min_clipped\": -Infinity, ");
  io::write_file(path / kSchedulerConfig, text);
  expect_same_model();
}

TEST_F(SavedPipeline, OldNameOfThePredictionTypeIsRead) {
  json config = io::read_json(path / kSchedulerConfig);
  config.erase("prediction_type");
  config["predict_epsilon"] = false;
  io::write_json(path / kSchedulerConfig, config);
  EXPECT_EQ(import_diffusers(path).spec().output, Output::x);
  set(kSchedulerConfig, "predict_epsilon", true);
  EXPECT_EQ(import_diffusers(path).spec().output, Output::eps);
  set(kSchedulerConfig, "prediction_type", "v_prediction");
  expect_throws<FormatError>({"prediction_type", "predict_epsilon"},
                             [&] { import_diffusers(path); });
}

TEST_F(SavedPipeline, NetworkAloneIsRefusedWithWhatToSave) {
  expect_throws<FormatError>({"expected the folder of a pipeline", path.c_str()},
                             [&] { import_diffusers(path / "unet"); });
  fs::remove(path / "model_index.json");
  fs::copy(path / "unet", path / "unet_ema");
  for (const fs::path& given : {path, path / "unet", path / "unet_ema", path / "unet" / ""}) {
    SCOPED_TRACE(given);
    EXPECT_EQ(format_of_model(given), ModelFormat::diffusers);
    expect_throws<FormatError>({"model_index.json", "scheduler", "save_pretrained"},
                               [&] { import_diffusers(given); });
  }
  expect_throws<FormatError>({"/unet_ema"}, [&] { import_diffusers(path); });
  EXPECT_EQ(format_of_model(weights_of(path)), ModelFormat::diffusers);
  expect_throws<FormatError>({"model_index.json", "/unet"},
                             [&] { import_diffusers(weights_of(path)); });
}

}  // namespace
}  // namespace halfstep
