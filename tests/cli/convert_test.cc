// halfstep convert, and that converted models work like any other.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "halfstep/io/file.h"
#include "halfstep/io/json.h"
#include "halfstep/io/safetensors.h"
#include "tests/cli/workspace.h"

namespace halfstep::cli {
namespace {

fs::path pipeline(const std::string& name) {
  return fs::path(HALFSTEP_GOLDEN_DIR) / "diffusers" / name;
}

TEST(Convert, ImportedModelIsDistilledSampledAndExportedLikeAnyOther) {
  const Workspace workspace;
  const fs::path teacher = workspace / "teacher.safetensors";
  const Finished imported = run({"convert", "--from", pipeline("bare_middle"), "--to", teacher});
  ASSERT_TRUE(succeeds(imported));
  EXPECT_EQ(imported.out, teacher.string() + "\n");

  const Finished info = run({"info", teacher});
  EXPECT_TRUE(succeeds(info));
  EXPECT_NE(info.out.find("1 x 8 x 8"), std::string::npos) << info.out;
  EXPECT_NE(info.out.find("\"unet2d\""), std::string::npos) << info.out;

  write_images(workspace / "images.npy", 16, 8, /*classes=*/0);
  ASSERT_TRUE(succeeds(run({"distill", "--teacher", teacher, "--data", workspace / "images.npy",
                            "--outdir", workspace / "runs", "--start-steps", "8", "--end-steps",
                            "4", "--updates-per-stage", "3", "--batch", "4", "--threads", "1"})));
  const fs::path student = only_run(workspace / "runs") / "stage-0004";
  EXPECT_FALSE(same_weights(student / "model.safetensors", teacher));
  ASSERT_TRUE(succeeds(run({"sample", "--model", student, "--seeds", "0-3", "--npz",
                            workspace / "samples.npz", "--threads", "1"})));

  const fs::path out = workspace / "student";
  const Finished exported = run({"convert", "--from", student, "--to", out});
  ASSERT_TRUE(succeeds(exported));
  EXPECT_EQ(exported.out, out.string() + "\n");
  EXPECT_NE(exported.err.find("DiffusionPipeline.from_pretrained(\"" + out.string()),
            std::string::npos)
      << exported.err;
  EXPECT_EQ(io::read_json(out / "model_index.json")["halfstep"]["num_steps"], 4);
  const fs::path again = workspace / "again.safetensors";
  ASSERT_TRUE(succeeds(run({"convert", "--from", out, "--to", again})));
  EXPECT_TRUE(same_weights(again, student / "model.safetensors"));
}

TEST(Convert, CommandsTakeFoldersOfDiffusers) {
  const Workspace workspace;
  const fs::path imported = workspace / "model.safetensors";
  ASSERT_TRUE(succeeds(run({"convert", "--from", pipeline("defaults"), "--to", imported})));
  const auto samples = [&](const fs::path& model) {
    const Finished finished = run({"sample", "--model", model, "--steps", "2", "--seeds", "0-1",
                                   "--npz", workspace / "samples.npz", "--threads", "1"});
    EXPECT_TRUE(succeeds(finished));
    EXPECT_EQ(finished.err.find("--no-clip") != std::string::npos, model != imported)
        << finished.err;
    return io::read_file(workspace / "samples.npz");
  };
  EXPECT_EQ(samples(pipeline("defaults")), samples(imported));
  EXPECT_TRUE(succeeds(run({"info", pipeline("defaults")})));

  write_images(workspace / "images.npy", 16, 8, /*classes=*/0);
  ASSERT_TRUE(succeeds(
      run({"distill", "--teacher", pipeline("bare_middle"), "--data", workspace / "images.npy",
           "--outdir", workspace / "runs", "--start-steps", "4", "--end-steps", "2",
           "--updates-per-stage", "2", "--last-updates", "2", "--batch", "4", "--threads", "1"})));
  EXPECT_TRUE(fs::exists(only_run(workspace / "runs") / "stage-0002/model.safetensors"));
}

TEST(Convert, OfficialCheckpointsNeedTheirConfiguration) {
  const Workspace workspace;
  const fs::path checkpoint =
      fs::path(HALFSTEP_GOLDEN_DIR) / "flax" / "unet_small_flax_ckpt.msgpack";
  const fs::path config = workspace / "small.json";
  io::write_json(config, {{"output", "x_and_eps"},
                          {"conditional", true},
                          {"network",
                           {{"image_size", 16},
                            {"num_classes", 10},
                            {"ch", 32},
                            {"emb_ch", 128},
                            {"ch_mult", {1, 2}},
                            {"num_res_blocks", 1},
                            {"attn_resolutions", {8}},
                            {"num_heads", nullptr},
                            {"head_dim", 32}}}});
  const fs::path model = workspace / "model.safetensors";
  ASSERT_TRUE(succeeds(run({"convert", "--from", checkpoint, "--config", config, "--to", model})));
  EXPECT_TRUE(succeeds(run({"sample", "--model", model, "--seeds", "0", "--npz",
                            workspace / "samples.npz", "--threads", "1"})));  // at its own N = 8
  EXPECT_TRUE(refuses(run({"convert", "--from", checkpoint, "--to", model}), 2, {"--config"}));
  EXPECT_TRUE(refuses(run({"convert", "--from", checkpoint, "--config", "cifar10", "--to",
                           workspace / "x.safetensors"}),
                      1, {"another's"}));
  EXPECT_TRUE(refuses(run({"convert", "--from", Workspace::teacher(), "--config", config, "--to",
                           workspace / "x.safetensors"}),
                      2, {"--config", "not a checkpoint"}));
}

TEST(Convert, HalfPrecisionHalvesTheFile) {
  const Workspace workspace;
  const fs::path small = workspace / "small.safetensors";
  const Arguments convert = {"convert", "--from", Workspace::teacher(), "--dtype", "float16"};
  ASSERT_TRUE(succeeds(run(convert + Arguments{"--to", small})));
  const auto tensors = [](const fs::path& path) { return io::SafetensorsFile(path).tensors(); };
  for (const auto& [name, tensor] : tensors(small)) EXPECT_EQ(tensor.dtype, io::DType::f16) << name;
  const Finished info = run({"info", small});
  EXPECT_NE(info.out.find("stored as   f16\n"), std::string::npos) << info.out;
  EXPECT_TRUE(succeeds(run({"sample", "--model", small, "--steps", "2", "--seeds", "0", "--npz",
                            workspace / "samples.npz", "--threads", "1"})));
  EXPECT_TRUE(succeeds(run({"distill", "--teacher", small, "--config", workspace.config(), "--data",
                            workspace.data(), "--outdir", workspace / "runs", "--threads", "1"})));
  EXPECT_TRUE(
      refuses(run(convert + Arguments{"--to", workspace / "folder"}), 2, {"--dtype", "float32"}));
  EXPECT_TRUE(refuses(run({"convert", "--from", small, "--to", small, "--dtype", "fp16"}), 2,
                      {"--dtype", "float16", "fp16"}));
}

TEST(Convert, RefusesWrongUsageAndReportsWhatIsLost) {
  const Workspace workspace;
  const fs::path model = workspace / "model.safetensors";
  const Finished imported = run({"convert", "--from", pipeline("defaults"), "--to", model});
  EXPECT_TRUE(succeeds(imported));
  EXPECT_NE(imported.err.find("--no-clip"), std::string::npos) << imported.err;
  EXPECT_TRUE(
      refuses(run({"convert", "--from", workspace / "nothing", "--to", model}), 1, {"nothing"}));
  EXPECT_TRUE(refuses(run({"convert", "--to", model}), 2, {"--from"}));
  EXPECT_TRUE(refuses(run({"convert", "--from", Workspace::teacher(), "--to", ""}), 2,
                      {"[--to] expected"}));
  EXPECT_TRUE(refuses(
      run({"convert", "--from", Workspace::teacher(), "--to", workspace / "teacher.safetensor"}), 2,
      {"[--to] expected", "teacher.safetensor"}));
}

}  // namespace
}  // namespace halfstep::cli
