// Models that restore images, from training to restored files.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "halfstep/io/image.h"
#include "halfstep/io/npy.h"
#include "tests/cli/workspace.h"

namespace halfstep::cli {
namespace {

class RestorationCommands : public testing::Test {
 protected:
  // Trains a model of the condition from the workspace's teacher and returns the run's folder.
  fs::path trained(const std::string& condition) {
    const fs::path outdir = workspace / condition.substr(0, 5);
    EXPECT_TRUE(succeeds(run(workspace.train(
        outdir, {"--condition", condition, "--no-conditional", "--grid-images", "4"}))));
    return only_run(outdir);
  }
  Finished sample(const fs::path& model, const Arguments& more) const {
    return run(Arguments{"sample", "--model", model, "--npz", workspace / "restored.npz",
                         "--threads", "1"} +
               more);
  }
  io::Array restored() const { return io::read_npz(workspace / "restored.npz").at("arr_0"); }

  Workspace workspace;
};

TEST_F(RestorationCommands, EnlargeImages) {
  const fs::path teacher = trained("super-resolution:2");
  EXPECT_TRUE(fs::exists(teacher / "samples.png"));
  ASSERT_TRUE(succeeds(
      run({"distill", "--config", workspace.config(), "--teacher", teacher, "--data",
           workspace.data(), "--method", "halving", "--start-steps", "4", "--end-steps", "2",
           "--updates-per-stage", "2", "--outdir", workspace / "distilled", "--threads", "1"})));
  const fs::path student = only_run(workspace / "distilled");
  const Finished info = run({"info", student / "stage-0002"});
  EXPECT_NE(info.out.find("condition   super-resolution:2\n"), std::string::npos) << info.out;
  EXPECT_EQ(info.out.find("\nclasses  "), std::string::npos) << info.out;
  ASSERT_TRUE(succeeds(sample(student, {"--input", workspace.data(), "--degrade"})));
  EXPECT_EQ(restored().shape, (std::vector<int64_t>{64, 4, 4, 1}));
  // Of low resolution, and larger than in training.
  write_images(workspace / "small.npy", 3, 3, 0);
  ASSERT_TRUE(succeeds(
      sample(student, {"--input", workspace / "small.npy", "--grid", workspace / "grid.png"})));
  EXPECT_EQ(restored().shape, (std::vector<int64_t>{3, 6, 6, 1}));
  EXPECT_EQ(io::read_image(workspace / "grid.png").width, 4 * 7 - 1);
  write_images(workspace / "tiny.npy", 1, 1, 0);
  EXPECT_TRUE(refuses(sample(student, {"--input", workspace / "tiny.npy"}), 2,
                      {"at least 4 x 4", "received 2 x 2"}));
  EXPECT_TRUE(refuses(sample(student, {}), 2, {"--input", "super-resolution:2", "none"}));
  EXPECT_TRUE(refuses(sample(Workspace::teacher(), {"--steps", "1", "--input", workspace.data()}),
                      2, {"restores images"}));
  EXPECT_TRUE(refuses(run({"convert", "--from", student, "--to", workspace / "diffusers"}), 2,
                      {"condition", "super-resolution:2"}));
}

TEST_F(RestorationCommands, FillInMissingPixels) {
  const fs::path teacher = trained("inpainting");
  io::Image image{.width = 4, .height = 4, .channels = 1};
  for (uint8_t i = 0; i < 16; ++i) image.pixels.push_back(static_cast<uint8_t>(10 * i));
  io::write_png(workspace / "image.png", image);
  io::Image mask{.width = 4, .height = 4, .channels = 1};
  mask.pixels.assign(16, 0);
  mask.pixels[5] = 255;
  io::write_png(workspace / "mask.png", mask);
  ASSERT_TRUE(
      succeeds(sample(teacher, {"--steps", "2", "--seeds", "1,2", "--input",
                                workspace / "image.png", "--mask", workspace / "mask.png"})));
  const io::Array filled = restored();
  EXPECT_EQ(filled.shape, (std::vector<int64_t>{2, 4, 4, 1}));
  for (size_t i = 0; i < 32; ++i) {
    if (i % 16 == 5) continue;  // is filled in
    EXPECT_EQ(static_cast<uint8_t>(filled.bytes[i]), image.pixels[i % 16]) << i;
  }
  EXPECT_TRUE(refuses(sample(teacher, {"--steps", "2", "--input", workspace / "image.png"}), 2,
                      {"image.png", "expected a mask"}));
}

TEST_F(RestorationCommands, ConditionsAreChecked) {
  EXPECT_TRUE(refuses(run(workspace.train(workspace / "runs", {"--condition", "sharpen"})), 2,
                      {"--condition", "super-resolution:FACTOR", "\"sharpen\""}));
  EXPECT_TRUE(refuses(run(workspace.train(workspace / "runs", {"--condition", "colour"})), 2,
                      {"colour", "3 channels", "received 1"}));
  EXPECT_TRUE(
      refuses(run(workspace.train(workspace / "runs", {"--condition", "super-resolution:3"})), 2,
              {"multiples of 3", "received 4 x 4"}));
}

}  // namespace
}  // namespace halfstep::cli
