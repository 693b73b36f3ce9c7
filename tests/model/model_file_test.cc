#include "halfstep/model/model_file.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "halfstep/core/error.h"
#include "halfstep/io/file.h"
#include "halfstep/io/safetensors.h"
#include "halfstep/model/spec_json.h"
#include "halfstep/model/tensor_io.h"
#include "tests/io/temporary_folder.h"
#include "tests/model/small_models.h"
#include "tests/nn/torchscript_files.h"
#include "tests/support/expect_throws.h"
#include "tests/support/random_tensors.h"
#include "tests/support/tensor_file.h"

namespace halfstep {
namespace {

using test::expect_throws;

// The parts of a model file, to be written again with something wrong.
struct Parts : test::TensorFile {
  explicit Parts(const Model& model) {
    metadata["halfstep"] = to_json(model.spec()).dump();
    for (const NamedTensor& named : model.network().parameters()) {
      tensors.emplace(named.name, named.tensor);
    }
  }
};

class ModelFile : public ::testing::Test {
 protected:
  // Expects a FormatError whose message contains the file name and these words.
  void expect_refused(std::initializer_list<std::string_view> words) const {
    expect_throws<FormatError>(words, [&] { Model::load(path); });
    expect_throws<FormatError>({path.string()}, [&] { Model::load(path); });
  }

  io::TemporaryFolder folder;
  std::filesystem::path path = folder / "model.safetensors";
  const Model model = test::small_model(3);
  Parts parts{model};
};

TEST_F(ModelFile, RoundTripIsBitExact) {
  const Model model = test::with_spec(this->model, [](ModelSpec& spec) {
    spec.class_names = {"a", "b", "c"};
    spec.sampling.num_steps = 4;
  });
  model.save(path);
  const Model read = Model::load(path);
  EXPECT_TRUE(test::same_parameters(read.network(), model.network()));
  EXPECT_EQ(to_json(read.spec()), to_json(model.spec()));
  EXPECT_EQ(to_json(load_spec(path)), to_json(model.spec()));
}

TEST_F(ModelFile, SameModelGivesTheSameBytes) {
  model.save(path);
  Model::load(path).save(folder / "again");
  EXPECT_EQ(io::read_file(path), io::read_file(folder / "again"));
}

TEST_F(ModelFile, LoadsInTheRequestedPrecision) {
  model.save(path);
  EXPECT_EQ(Model::load(path).precision(), best_precision(at::kCPU));
  EXPECT_EQ(Model::load(path, {.precision = PrecisionChoice::fp32}).precision(), Precision::fp32);
  const Model rounded = Model::load(path, {.precision = PrecisionChoice::bf16});
  EXPECT_EQ(rounded.precision(), Precision::bf16);
  EXPECT_TRUE(test::same_parameters(rounded.network(), model.network()));
}

TEST_F(ModelFile, BytesDoNotDependOnThePrecision) {
  model.save(path);
  model.on(at::kCPU, Precision::bf16).save(folder / "again");
  EXPECT_EQ(io::read_file(path), io::read_file(folder / "again"));
}

TEST_F(ModelFile, FolderMeansTheModelInIt) {
  model.save(path);
  EXPECT_TRUE(test::same_parameters(*load_network(folder.path()), model.network()));
  EXPECT_EQ(num_classes(load_spec(folder.path()).network), 3);
}

TEST_F(ModelFile, MissingFileIsAnIoErrorThatNamesIt) {
  expect_throws<IoError>({path.string()}, [&] { Model::load(path); });
  expect_throws<IoError>({folder.path().string(), "model.safetensors", "a folder without"},
                         [&] { Model::load(folder.path()); });
}

TEST_F(ModelFile, EveryTruncationIsRefused) {
  model.save(path);
  const std::string whole = io::read_file(path);
  for (const size_t length :
       {size_t{0}, size_t{7}, size_t{100}, whole.size() / 2, whole.size() - 1}) {
    io::write_file(path, whole.substr(0, length));
    SCOPED_TRACE(length);
    expect_refused({});
  }
}

TEST_F(ModelFile, FlippedBitIsRefusedOrHarmless) {
  model.save(path);
  const std::string whole = io::read_file(path);
  int refused = 0;
  constexpr size_t kFlips = 300;
  for (size_t k = 0; k < kFlips; ++k) {
    // Half of the places are in the first 2 kB, where the spec is.
    const size_t at = k % 2 == 0 ? 7 * k : whole.size() * k / kFlips;
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << k % 8));
    io::write_file(path, damaged);
    try {
      const Model read = Model::load(path);
      EXPECT_TRUE(test::same_parameters(read.network(), model.network())) << at;
      EXPECT_EQ(to_json(read.spec()), to_json(model.spec())) << at;
    } catch (const FormatError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 250);
}

TEST_F(ModelFile, FileWithoutAHashIsRead) {
  parts.write(path);
  EXPECT_TRUE(test::same_parameters(Model::load(path).network(), model.network()));
}

TEST_F(ModelFile, MissingTensorIsNamed) {
  parts.tensors.erase("mid.attn_1.qkv.weight");
  parts.tensors.emplace("mid.attn_1.q.weight", at::ones({1}));
  parts.write(path);
  expect_refused({"mid.attn_1.qkv.weight"});
}

TEST_F(ModelFile, WrongNumberOfTensorsIsRefused) {
  const std::string count = std::to_string(parts.tensors.size());
  parts.tensors.emplace("stray", at::ones({1}));
  parts.write(path);
  expect_refused({count, std::to_string(parts.tensors.size())});
  parts.tensors.erase("stray");
  parts.tensors.erase("conv_in.bias");
  parts.write(path);
  expect_refused({count, std::to_string(parts.tensors.size())});
}

TEST_F(ModelFile, WrongShapeIsNamedWithBothShapes) {
  parts.tensors["dense0.weight"] = at::ones({32, 64});
  parts.write(path);
  expect_refused({"dense0.weight", "[64, 32]", "[32, 64]"});
}

TEST_F(ModelFile, IntegerTensorIsNamed) {
  parts.tensors["conv_in.bias"] = at::ones({32}, at::kInt);
  parts.write(path);
  expect_refused({"conv_in.bias", "Int"});
}

TEST_F(ModelFile, NonFiniteValuesAreNamed) {
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), -std::numeric_limits<double>::infinity()}) {
    Tensor bias = at::zeros({32});
    bias[31] = bad;
    parts.tensors["conv_in.bias"] = bias;
    parts.write(path);
    expect_refused({"conv_in.bias", "finite"});
  }
}

TEST_F(ModelFile, HalfPrecisionWeightsBecomeFloat32) {
  const Tensor rounded = parts.tensors["conv_in.weight"].to(at::kBFloat16);
  parts.tensors["conv_in.weight"] = rounded;
  parts.write(path);
  const Tensor read = test::parameter(*load_network(path), "conv_in.weight");
  EXPECT_EQ(read.scalar_type(), at::kFloat);
  EXPECT_TRUE(at::equal(read, rounded.to(at::kFloat)));
}

TEST_F(ModelFile, OtherSafetensorsAreRefused) {
  parts.metadata = {{"format", "pt"}};
  parts.write(path);
  expect_refused({"halfstep"});
}

TEST_F(ModelFile, MetadataWithoutASpecIsRefused) {
  for (const char* text : {"", "{", "[]", "{\"version\": 1}"}) {
    parts.metadata["halfstep"] = text;
    parts.write(path);
    SCOPED_TRACE(text);
    expect_refused({});
  }
}

TEST_F(ModelFile, InconsistentSpecIsRefused) {
  ModelSpec spec = model.spec();
  spec.output = Output::x_and_eps;  // needs 6 channels
  parts.metadata["halfstep"] = to_json(spec).dump();
  parts.write(path);
  expect_refused({"out_channels"});
}

TEST_F(ModelFile, ImpossibleSizeIsRefusedBeforeMemoryIsAllocated) {
  ModelSpec spec = model.spec();
  test::unet(spec).ch = int64_t{1} << 40;
  parts.metadata["halfstep"] = to_json(spec).dump();
  parts.write(path);
  expect_refused({"ch:"});
}

TEST_F(ModelFile, PathsOfModelsAreRecognised) {
  EXPECT_EQ(model_file_at("there/or/not.safetensors"), "there/or/not.safetensors");
  EXPECT_EQ(model_file_at("net.pt"), "net.pt");
  EXPECT_EQ(model_file_at("images.npz"), std::nullopt);
  EXPECT_EQ(model_file_at(folder.path()), std::nullopt);
  io::write_file(folder / "model.pt", "");
  EXPECT_EQ(model_file_at(folder.path()), folder / "model.pt");
  io::write_file(folder / "model.safetensors", "");
  EXPECT_EQ(model_file_at(folder.path()), folder / "model.safetensors");
}

// The Gaussian denoiser as TorchScript.
class TorchScriptModelFile : public ::testing::Test {
 protected:
  TorchScriptModelFile() { test::write_torchscript(raw, test::gaussian_code()); }

  io::TemporaryFolder folder;
  std::filesystem::path raw = folder / "net.pt";  // says nothing of a model
  std::filesystem::path path = folder / "model.pt";
  ModelSpec spec{.network = test::gaussian_options(),
                 .sampling = {.num_steps = 4},
                 .origin = {.data = "points"}};
};

TEST_F(TorchScriptModelFile, RoundTripIsBitExact) {
  const Model given = load_torchscript_model(raw, spec);
  const Model model = test::with_parameter(given, given.network().parameters()[0].name,
                                           [](Tensor values) { values.fill_(0.125); });
  model.save(path);
  const Model read = Model::load(folder.path());
  EXPECT_EQ(to_json(read.spec()), to_json(spec));
  EXPECT_EQ(to_json(load_spec(path)), to_json(spec));
  EXPECT_TRUE(test::same_parameters(read.network(), model.network()));
  const Tensor z = test::random_normal({3, 2}, 5, at::kFloat);
  const Tensor phi = test::float64_vector({0.1, 0.5, 1.5});
  EXPECT_TRUE(at::equal(read.network().forward(z, phi, {}), model.network().forward(z, phi, {})));
  read.save(folder / "again.pt");
  EXPECT_EQ(io::read_file(path), io::read_file(folder / "again.pt"));
}

TEST_F(TorchScriptModelFile, FileWithoutASpecIsRefused) {
  expect_throws<FormatError>({raw.string(), "halfstep.json"}, [&] { Model::load(raw); });
  expect_throws<FormatError>({raw.string(), "halfstep.json"}, [&] { load_spec(raw); });
}

TEST_F(TorchScriptModelFile, SpecMustBeOfTorchScript) {
  ModelSpec other = test::small_model().spec();
  expect_throws<ConfigError>({"torchscript"}, [&] { load_torchscript_model(raw, other); });
  const TorchScriptNetwork network(read_torchscript(raw), test::gaussian_options());
  io::write_file(path, network.contents_with(network.parameters(), to_json(other).dump()));
  expect_throws<FormatError>({path.string(), "torchscript"}, [&] { Model::load(path); });
  io::write_file(path, network.contents_with(network.parameters(), "{}"));
  expect_throws<FormatError>({path.string(), "version"}, [&] { Model::load(path); });
}

TEST_F(TorchScriptModelFile, SafetensorsWithATorchScriptSpecAreRefused) {
  Parts parts(test::small_model());
  parts.metadata["halfstep"] = to_json(spec).dump();
  parts.write(folder / "model.safetensors");
  expect_throws<FormatError>({"model.safetensors", "torchscript"},
                             [&] { Model::load(folder / "model.safetensors"); });
}

TEST_F(TorchScriptModelFile, EveryTruncationIsRefused) {
  load_torchscript_model(raw, spec).save(path);
  const std::string whole = io::read_file(path);
  for (const size_t length : {size_t{0}, size_t{7}, whole.size() / 2, whole.size() - 1}) {
    io::write_file(path, whole.substr(0, length));
    expect_throws<FormatError>({path.string()}, [&] { Model::load(path); });
  }
}

}  // namespace
}  // namespace halfstep
