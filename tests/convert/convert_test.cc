#include "halfstep/convert/convert.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "halfstep/convert/diffusers.h"
#include "halfstep/core/error.h"
#include "halfstep/io/file.h"
#include "halfstep/io/safetensors.h"
#include "halfstep/model/model_file.h"
#include "halfstep/model/spec_json.h"
#include "tests/io/temporary_folder.h"
#include "tests/model/small_models.h"
#include "tests/nn/torchscript_files.h"
#include "tests/support/expect_throws.h"

namespace halfstep {
namespace {

namespace fs = std::filesystem;
using test::expect_throws;

class ConvertModel : public ::testing::Test {
 protected:
  ConvertModel() { model.save(file); }

  io::TemporaryFolder folder;
  fs::path file = folder / "model.safetensors";
  fs::path checkpoint = fs::path(HALFSTEP_GOLDEN_DIR) / "flax" / "unet_small_flax_ckpt.msgpack";
  const Model model = test::small_model(3);
};

TEST_F(ConvertModel, FormatIsRecognised) {
  export_diffusers(model, folder / "pipeline");
  EXPECT_EQ(format_of_model(file), ModelFormat::halfstep);
  EXPECT_EQ(format_of_model(folder.path()), ModelFormat::halfstep);
  EXPECT_EQ(format_of_model(folder / "missing"), ModelFormat::halfstep);
  EXPECT_EQ(format_of_model(folder / "pipeline"), ModelFormat::diffusers);
  EXPECT_EQ(format_of_model(checkpoint), ModelFormat::official);
}

TEST_F(ConvertModel, DiffusersFolderAndBackKeepsTheParametersOfAUNet2d) {
  convert_model(file, folder / "pipeline");
  convert_model(folder / "pipeline", folder / "once.safetensors");
  convert_model(folder / "once.safetensors", folder / "again");
  convert_model(folder / "again", folder / "twice.safetensors");
  EXPECT_TRUE(test::same_parameters(*load_network(folder / "once.safetensors"),
                                    *load_network(folder / "twice.safetensors")));
}

TEST_F(ConvertModel, HalfstepToHalfstepGivesTheSameBytes) {
  convert_model(folder.path(), folder / "copy.safetensors");
  EXPECT_EQ(io::read_file(file), io::read_file(folder / "copy.safetensors"));
}

TEST_F(ConvertModel, StoresWeightsRoundedToATypeAndReadsThemAsFloat32) {
  const fs::path small = folder / "small.safetensors";
  const fs::path again = folder / "again.safetensors";
  const struct {
    WeightType dtype;
    at::ScalarType tensor;
    io::DType stored;
  } types[] = {{WeightType::float32, at::kFloat, io::DType::f32},
               {WeightType::float16, at::kHalf, io::DType::f16},
               {WeightType::bfloat16, at::kBFloat16, io::DType::bf16}};
  for (const auto& [dtype, tensor, stored] : types) {
    SCOPED_TRACE(name_of(dtype));
    convert_model(file, small, {.dtype = dtype});
    EXPECT_EQ(weight_type_of(small), stored);
    const Model read = Model::load(small, {.precision = PrecisionChoice::fp32});
    EXPECT_EQ(to_json(read.spec()), to_json(model.spec()));
    for (const auto& [name, weight] : model.network().parameters()) {
      const Tensor found = test::parameter(read.network(), name);
      EXPECT_EQ(found.scalar_type(), at::kFloat);
      EXPECT_TRUE(at::equal(found, weight.to(tensor).to(at::kFloat))) << name;
    }
    convert_model(small, again, {.dtype = dtype});
    EXPECT_EQ(io::read_file(again), io::read_file(small)) << "rounding twice changes nothing";
    convert_model(small, again);
    EXPECT_EQ(weight_type_of(again), io::DType::f32);
    EXPECT_TRUE(test::same_parameters(*load_network(again), *load_network(small)));
  }
}

TEST_F(ConvertModel, RefusesWeightsThatFloat16CannotHold) {
  const fs::path large = folder / "large.safetensors";
  test::with_parameter(model, "conv_in.bias", [](const Tensor& bias) {
    bias[1].fill_(-1e5);
  }).save(large);
  const fs::path small = folder / "small.safetensors";
  expect_throws<ConfigError>({"dtype", "float16", "1e+05", "conv_in.bias", "bfloat16"},
                             [&] { convert_model(large, small, {.dtype = WeightType::float16}); });
  EXPECT_FALSE(fs::exists(small));
  EXPECT_NO_THROW(convert_model(large, small, {.dtype = WeightType::bfloat16}));
}

TEST_F(ConvertModel, HalfPrecisionIsForModelFilesOnly) {
  expect_throws<ConfigError>({"dtype", "float16", "pipeline"}, [&] {
    convert_model(file, folder / "pipeline", {.dtype = WeightType::float16});
  });
  convert_model(file, folder / "small.safetensors", {.dtype = WeightType::float16});
  EXPECT_NO_THROW(convert_model(folder / "small.safetensors", folder / "pipeline"));
}

TEST_F(ConvertModel, SpecIsForOfficialCheckpointsOnly) {
  const fs::path to = folder / "to.safetensors";
  expect_throws<ConfigError>({"configuration", "checkpoint"},
                             [&] { convert_model(checkpoint, to); });
  expect_throws<ConfigError>({"expected none", "not a checkpoint"},
                             [&] { convert_model(file, to, {.config = model.spec()}); });
  expect_throws<FormatError>({checkpoint.string(), "expected"},
                             [&] { convert_model(checkpoint, to, {.config = model.spec()}); });
}

TEST_F(ConvertModel, SlipsInTheTargetAreNotFolders) {
  for (const char* name : {"teacher.safetensor", "teacher.SAFETENSORS", "model.pt", "m.ckpt"}) {
    SCOPED_TRACE(name);
    expect_throws<ConfigError>({"to: expected FILE.safetensors", name},
                               [&] { convert_model(file, folder / name); });
    EXPECT_FALSE(fs::exists(folder / name));
  }
  expect_throws<ConfigError>({"to: expected"}, [&] { convert_model(file, ""); });
  convert_model(file, folder / "ddpm-v1.5");
  EXPECT_EQ(format_of_model(folder / "ddpm-v1.5"), ModelFormat::diffusers);
}

TEST_F(ConvertModel, OnlyAnOlderExportIsWrittenOver) {
  convert_model(file, folder / "pipeline");
  convert_model(file, folder / "pipeline");
  fs::remove(folder / "pipeline/model_index.json");
  expect_throws<ConfigError>({"to: expected a new folder", "pipeline"},
                             [&] { convert_model(file, folder / "pipeline"); });
  // A pipeline of diffusers may have files, such as shards, that would be loaded instead.
  fs::copy(fs::path(HALFSTEP_GOLDEN_DIR) / "diffusers" / "classes", folder / "theirs",
           fs::copy_options::recursive);
  expect_throws<ConfigError>({"other files"}, [&] { convert_model(file, folder / "theirs"); });
}

TEST_F(ConvertModel, ExportSaysHowToSampleIt) {
  const Conversion conversion = convert_model(file, folder / "pipeline");
  EXPECT_TRUE(conversion.notes.empty());
  EXPECT_NE(conversion.python.find("class_labels=0, num_inference_steps=50, seeds"),
            std::string::npos)
      << conversion.python;
  const std::string card = io::read_file(folder / "pipeline/README.md");
  EXPECT_TRUE(card.starts_with("---\nlibrary_name: diffusers\n")) << card;
  EXPECT_NE(card.find("from_pretrained(\"pipeline\", trust_remote_code=True)"), std::string::npos);
  // What sampling needs is in the folder, so its own scheduler's settings are not news.
  const Conversion back = convert_model(folder / "pipeline", folder / "again.safetensors");
  EXPECT_TRUE(back.notes.empty());
  EXPECT_TRUE(back.python.empty());
}

TEST_F(ConvertModel, NamesFromFilesCannotEndTheModelCardsCode) {
  test::with_spec(model, [](ModelSpec& spec) {
    spec.class_names = {"a`|\n# b", "\") or exit(", "none"};
    spec.origin.data = "`\n---";
    spec.sampling.num_steps = 4;
  }).save(file);
  const Conversion conversion = convert_model(file, folder / "pipeline");
  EXPECT_NE(conversion.python.find("pipeline(class_labels=0, seeds"), std::string::npos);
  const std::string card = io::read_file(folder / "pipeline/README.md");
  EXPECT_NE(card.find("| 0 | `a'/\\x0a# b` |"), std::string::npos) << card;
  EXPECT_NE(card.find("data set: `'\\x0a---`"), std::string::npos) << card;
  EXPECT_NE(card.find("distilled to 4 sampling steps"), std::string::npos) << card;
}

TEST_F(ConvertModel, TorchScriptIsRefused) {
  test::write_torchscript(folder / "net.pt", test::gaussian_code());
  const TorchScriptNetwork network(read_torchscript(folder / "net.pt"), test::gaussian_options());
  Model({.network = test::gaussian_options()}, network.clone()).save(folder / "model.pt");
  expect_throws<ConfigError>(
      {"TorchScript"}, [&] { convert_model(folder / "model.pt", folder / "to.safetensors"); });
}

}  // namespace
}  // namespace halfstep
