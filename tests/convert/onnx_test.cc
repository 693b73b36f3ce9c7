#include "halfstep/convert/onnx.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "halfstep/convert/convert.h"
#include "halfstep/core/error.h"
#include "halfstep/io/file.h"
#include "halfstep/io/protobuf.h"
#include "halfstep/model/spec_json.h"
#include "tests/io/temporary_folder.h"
#include "tests/model/small_models.h"
#include "tests/nn/torchscript_files.h"
#include "tests/support/expect_throws.h"

namespace halfstep {
namespace {

using test::expect_throws;

// What ONNX Runtime makes of the files is tested by onnx_test.py.

Model student(int64_t num_steps, Sampler sampler = Sampler::ddim) {
  return test::with_spec(test::small_model(3), [&](ModelSpec& spec) {
    spec.sampling.num_steps = num_steps;
    spec.sampling.sampler = sampler;
  });
}

TEST(SaveOnnx, RecordsTheModel) {
  const io::TemporaryFolder folder;
  const Model model = student(2, Sampler::ancestral);
  save_onnx(model, {}, folder / "a.onnx");
  OnnxDescription file = describe_onnx(folder / "a.onnx");
  EXPECT_EQ(to_json(file.spec), to_json(model.spec()));
  EXPECT_FALSE(file.network);
  EXPECT_EQ(file.num_steps, 2);
  EXPECT_EQ(file.guidance, 1.0);

  save_onnx(model, {.network = true, .guidance = 2.0}, folder / "a.onnx");
  file = describe_onnx(folder / "a.onnx");
  EXPECT_TRUE(file.network);
  EXPECT_EQ(file.num_steps, 0);
  EXPECT_EQ(file.guidance, 2.0);
  expect_throws<FormatError>({"ONNX Runtime"}, [&] { Model::load(folder / "a.onnx"); });
}

TEST(SaveOnnx, GivesTheSameBytesForTheSameModelWithSharedWeights) {
  const io::TemporaryFolder folder;
  save_onnx(student(1), {}, folder / "1.onnx");
  save_onnx(student(4), {}, folder / "4.onnx");
  save_onnx(student(4), {}, folder / "again.onnx");
  EXPECT_EQ(io::read_file(folder / "4.onnx"), io::read_file(folder / "again.onnx"));
  const double weights = 4.0 * static_cast<double>(count_parameters(student(1).network()));
  const auto size = [&](const char* name) {
    return static_cast<double>(std::filesystem::file_size(folder / name));
  };
  EXPECT_GT(size("1.onnx"), weights);
  EXPECT_LT(size("4.onnx") - size("1.onnx"), 0.2 * weights);
}

TEST(SaveOnnx, FoldsAWeightThatTheNetworkTakes) {
  const io::TemporaryFolder folder;
  ModelSpec spec = test::small_model(3).spec();
  test::unet(spec).guidance_ch = 16;
  spec.sampling = {.num_steps = 1, .guidance_min = 1.0, .guidance_max = 3.0};
  const Model model(spec, test::random_unet(test::unet(spec)));
  save_onnx(model, {}, folder / "input.onnx");
  EXPECT_EQ(describe_onnx(folder / "input.onnx").guidance, std::nullopt);
  save_onnx(model, {.guidance = 2.0}, folder / "folded.onnx");
  EXPECT_EQ(describe_onnx(folder / "folded.onnx").guidance, 2.0);
  EXPECT_EQ(describe_onnx(folder / "folded.onnx").spec.sampling.fixed_guidance(), 2.0);
  expect_throws<ConfigError>({"from 1 to 3", "received 4"},
                             [&] { save_onnx(model, {.guidance = 4.0}, folder / "x.onnx"); });
}

TEST(SaveOnnx, RefusesWhatDoesNotSuitTheModel) {
  const io::TemporaryFolder folder;
  const auto refuse = [&](std::initializer_list<std::string_view> parts, const Model& model,
                          const OnnxOptions& options) {
    expect_throws<ConfigError>(parts, [&] { save_onnx(model, options, folder / "x.onnx"); });
    EXPECT_FALSE(std::filesystem::exists(folder / "x.onnx"));
  };
  refuse({"steps", "for this teacher", "received none"}, test::small_model(), {});
  refuse({"steps", "1 to 128", "received 129"}, test::small_model(), {.num_steps = 129});
  refuse({"steps", "expected 2", "received 3"}, student(2), {.num_steps = 3});
  refuse({"steps", "the network alone", "received 2"}, student(2),
         {.network = true, .num_steps = 2});
  refuse({"guidance", "no null class", "received 2"}, test::small_model(),
         {.num_steps = 2, .guidance = 2.0});
  refuse({"sampler", "ddim or ancestral", "received heun"}, student(2, Sampler::heun), {});
  refuse({"TorchScript", "torch.onnx"},
         Model({.network = test::gaussian_options()}, std::make_unique<test::GaussianNetwork>()),
         {.num_steps = 2});
  EXPECT_NO_THROW(save_onnx(student(2, Sampler::heun), {.network = true}, folder / "net.onnx"));
  EXPECT_THROW(save_onnx(student(2), {}, folder / "missing" / "x.onnx"), IoError);
}

TEST(DescribeOnnx, RefusesFilesOfOthers) {
  const io::TemporaryFolder folder;
  io::ProtoMessage model;
  model.bytes(7, "graph");
  io::write_file(folder / "other.onnx", model.text());
  expect_throws<FormatError>({"other.onnx", "`halfstep`"},
                             [&] { describe_onnx(folder / "other.onnx"); });
  for (const char* spec : {"{", "{}", "[]"}) {
    io::ProtoMessage entry;
    entry.bytes(1, "halfstep");
    entry.bytes(2, spec);
    io::ProtoMessage wrong = model;
    wrong.message(14, entry);
    io::write_file(folder / "wrong.onnx", wrong.text());
    expect_throws<FormatError>({"wrong.onnx"}, [&] { describe_onnx(folder / "wrong.onnx"); });
  }
  EXPECT_THROW(describe_onnx(folder / "missing.onnx"), IoError);
}

TEST(SaveOnnx, IsWhatConvertModelCalls) {
  const io::TemporaryFolder folder;
  student(2).save(folder / "model.safetensors");
  const auto convert = [&](const char* to, const ConvertOptions& options) {
    convert_model(folder / "model.safetensors", folder / to, options);
  };
  convert("a.onnx", {.guidance = 2.0});
  EXPECT_EQ(describe_onnx(folder / "a.onnx").guidance, 2.0);
  convert("net.onnx", {.network = true});
  EXPECT_TRUE(describe_onnx(folder / "net.onnx").network);
  expect_throws<ConfigError>({"dtype", "ONNX", "float16"},
                             [&] { convert("b.onnx", {.dtype = WeightType::float16}); });
  expect_throws<ConfigError>({"steps", "FILE.onnx", "folder"},
                             [&] { convert("folder", {.num_steps = 2}); });
  expect_throws<ConfigError>({"network", "FILE.onnx", "b.safetensors"},
                             [&] { convert("b.safetensors", {.network = true}); });
}

}  // namespace
}  // namespace halfstep
