// A TorchScript model of 2-D points in every command: distilled with a small JSON file as its spec,
// resumed, described, reported and sampled.
#include <gtest/gtest.h>

#include <map>

#include "halfstep/io/npy.h"
#include "tests/cli/workspace.h"
#include "tests/nn/torchscript_files.h"

namespace halfstep::cli {
namespace {

constexpr int64_t kPoints = 64;

class TorchScriptProgram : public testing::Test {
 protected:
  TorchScriptProgram() {
    test::write_torchscript(workspace / "net.pt", test::gaussian_code());
    write_text(workspace / "spec.json", R"({
      "version": 1, "output": "v", "schedule": {"type": "cosine"},
      "network": {"type": "torchscript", "shape": [2], "out_channels": 2}
    })");
    std::vector<float> numbers(2 * kPoints);
    for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i % 7) - 3.0F;
    io::write_npy(workspace / "points.npy",
                  io::make_array<float>({kPoints, 2}, std::span(std::as_const(numbers))).view());
  }

  // 8 -> 4 -> 2 steps.
  Arguments distill(const fs::path& outdir, const Arguments& more = {}) const {
    return distill(workspace / "net.pt", workspace / "points.npy", outdir, more);
  }
  Arguments distill(const fs::path& teacher, const fs::path& data, const fs::path& outdir,
                    const Arguments& more) const {
    return Arguments{"distill", "--teacher", teacher, "--teacher-spec", workspace / "spec.json"} +
           Arguments{"--data", data, "--outdir", outdir, "--threads", "1", "--batch", "8"} +
           Arguments{"--start-steps", "8", "--end-steps", "2", "--updates-per-stage", "6"} +
           Arguments{"--last-updates", "6"} + more;
  }

  Workspace workspace;
};

TEST_F(TorchScriptProgram, IsDistilledResumedAndSampled) {
  const Finished finished = run(distill(workspace / "runs"));
  ASSERT_TRUE(succeeds(finished));
  const fs::path folder = only_run(workspace / "runs");
  EXPECT_EQ(finished.out, (folder / "matched-0002" / "model.pt").string() + "\n");
  EXPECT_TRUE(fs::exists(folder / "stage-0004" / "model.pt"));
  EXPECT_FALSE(fs::exists(folder / "stage-0004" / "samples.png"));

  // resuming a finished run changes nothing
  const std::string student = text_of(folder / "matched-0002" / "model.pt");
  ASSERT_TRUE(succeeds(run({"resume", folder})));
  EXPECT_EQ(text_of(folder / "matched-0002" / "model.pt"), student);

  const Finished info = run({"info", folder / "matched-0002"});
  ASSERT_TRUE(succeeds(info));
  for (const char* word : {"examples    2", "steps       2", "parameters  4", "\"torchscript\""})
    EXPECT_NE(info.out.find(word), std::string::npos) << word << " in " << info.out;
  EXPECT_TRUE(succeeds(run({"info", folder})));
  EXPECT_TRUE(succeeds(run({"report", folder})));

  const fs::path npz = workspace / "samples.npz";
  ASSERT_TRUE(succeeds(run({"sample", "--model", folder / "matched-0002", "--npz", npz})));
  const io::Array samples = io::read_npz(npz).at("arr_0");
  EXPECT_EQ(samples.dtype, io::DType::f32);
  EXPECT_EQ(samples.shape, (std::vector<int64_t>{64, 2}));
}

// The copy of the teacher in the run contains its spec and needs no JSON file.
TEST_F(TorchScriptProgram, TeacherInTheRunIsAModel) {
  ASSERT_TRUE(succeeds(run(distill(workspace / "runs"))));
  const fs::path teacher = only_run(workspace / "runs") / "teacher.pt";
  EXPECT_TRUE(
      succeeds(run({"sample", "--model", teacher, "--steps", "3", "--npz", workspace / "a"})));
  EXPECT_TRUE(succeeds(run({"distill", "--teacher", teacher, "--data", workspace / "points.npy",
                            "--outdir", workspace / "more", "--start-steps", "2", "--end-steps",
                            "1", "--last-updates", "2", "--match-updates", "2"})));
}

TEST_F(TorchScriptProgram, PrintsOfTheCodeGoToStderr) {
  test::write_torchscript(workspace / "net.pt",
                          {.methods = R"(
def forward(self, z, logsnr):
    print("called")
    return self.scale * z
)",
                           .parameters = {{"scale", test::trained(at::ones({1}))}}});
  const Finished finished = run(distill(workspace / "runs", {"--dry-run"}));
  ASSERT_TRUE(succeeds(finished));
  EXPECT_EQ(finished.out.find("called"), std::string::npos) << finished.out;
  EXPECT_NE(finished.err.find("called"), std::string::npos) << finished.err;
}

TEST_F(TorchScriptProgram, DryRunPrintsWhatIsKnown) {
  const Finished finished = run(distill(workspace / "runs", {"--dry-run"}));
  ASSERT_TRUE(succeeds(finished));
  for (const char* word : {"64 examples of shape [2]", "parameters  4", "24 updates, 192 images\n"})
    EXPECT_NE(finished.out.find(word), std::string::npos) << word << " in " << finished.out;
  EXPECT_EQ(finished.out.find("GFLOP"), std::string::npos);
  EXPECT_FALSE(fs::exists(workspace / "runs"));
}

TEST_F(TorchScriptProgram, WrongUsageIsRefused) {
  const fs::path outdir = workspace / "runs";
  EXPECT_TRUE(refuses(run(distill(outdir, {"--precision", "bf16"})), 2,
                      {"precision", "auto or fp32", "bf16"}));
  EXPECT_TRUE(refuses(run(distill(workspace / "net.pt", workspace.data(), outdir, {})), 2,
                      {"data", "[2]", "[1, 4, 4]"}));
  EXPECT_TRUE(refuses(run(distill(Workspace::teacher(), workspace.data(), outdir, {})), 2,
                      {"--teacher-spec", ".pt"}));
  EXPECT_TRUE(refuses(run({"distill", "--teacher", workspace / "net.pt", "--data",
                           workspace / "points.npy", "--outdir", outdir}),
                      1, {"net.pt", "halfstep.json"}));
  EXPECT_FALSE(fs::exists(outdir));

  ASSERT_TRUE(succeeds(run(distill(outdir))));
  const fs::path student = only_run(outdir) / "stage-0002";
  EXPECT_TRUE(refuses(run({"sample", "--model", student, "--grid", workspace / "grid.png"}), 2,
                      {"--grid", "an image model", "[2]", "--npz"}));
  EXPECT_TRUE(refuses(
      run({"sample", "--model", student, "--precision", "bf16", "--npz", workspace / "a.npz"}), 2,
      {"precision", "auto or fp32", "bf16"}));
}

}  // namespace
}  // namespace halfstep::cli
