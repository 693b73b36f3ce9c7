// Wrong usage and invalid configurations: exit code 2 and one line that names the flag, what was
// expected and what was received. Nothing is written.
#include <gtest/gtest.h>

#include "tests/cli/workspace.h"

namespace halfstep::cli {
namespace {

struct Mistake {
  Arguments arguments;
  std::vector<std::string> words;
};

void expect_refused(const Arguments& right, const std::vector<Mistake>& mistakes) {
  for (const Mistake& mistake : mistakes) {
    EXPECT_TRUE(refuses(run(right + mistake.arguments), 2, mistake.words))
        << testing::PrintToString(mistake.arguments);
  }
}

TEST(Usage, UnknownCommandsAndFlagsAreNamed) {
  const Workspace workspace;
  expect_refused({}, {{{}, {"expected a command", "train", "none"}},
                      {{"frobnicate"}, {"frobnicate", "--help"}},
                      {{"trian"}, {"unknown command trian", "did you mean train?"}},
                      {{"--verbose"}, {"unknown flag --verbose", "--help"}},
                      {{"sample", "--modle", "x"}, {"--modle", "did you mean --model?"}},
                      {{"sample", "--modle", "x", "--steps"}, {"unknown flag --modle"}},
                      {{"info"}, {"PATH", "required"}},
                      {{"train"}, {"--data", "required"}},
                      {{"sample", "--model"}, {"--model"}},
                      {{"info", workspace.data(), "--fast"}, {"--fast"}},
                      {{"resume", "a", "b"}, {"b"}},
                      {workspace.train("runs", {"--lrr", "1"}), {"--lrr"}},
                      {workspace.train("runs", {"--threads", "2"}), {"--threads"}}});
}

TEST(Usage, DataFlagsAreChecked) {
  const Workspace workspace;
  const fs::path zip = workspace / "x.zip";
  expect_refused(
      {"data"},
      {{{"--check", workspace.data(), "--to", zip}, {"--check", "no --to"}},
       {{"--from", workspace.data(), "--to", zip, "--to", zip}, {"[--to]", "one value", "2"}},
       {{"--from", workspace.data(), "--to", "x.tar"}, {"--to", ".zip", "x.tar"}},
       {{"--from", workspace.data(), "--to", zip, "--split", "val"},
        {"--split", "train or test", "\"val\""}},
       {{"--from", workspace.data(), "--to", zip, "--split", "test"}, {"dots.npy", "test split"}},
       {{"--from", workspace.data(), "--to", zip, "--image-size", "0"},
        {"[--image-size] expected 1 to", "0"}}});
  EXPECT_FALSE(fs::exists(zip));
}

TEST(Usage, TrainingFlagsAreChecked) {
  const Workspace workspace;
  const fs::path outdir = workspace / "runs";
  expect_refused(workspace.train(outdir),
                 {{{"--lr", "abc"}, {"[--lr]", "a finite number", "\"abc\""}},
                  {{"--lr", "-1"}, {"[--lr] expected", "(0, 1]", "-1"}},
                  {{"--lr", "nan"}, {"[--lr]", "a finite number", "nan"}},
                  {{"--lr", "1e-4x"}, {"--lr", "1e-4x"}},
                  {{"--lr", "1e999"}, {"[--lr]", "a finite number", "1e999"}},
                  {{"--grad-clip", "inf"}, {"[--grad-clip]", "a finite number", "inf"}},
                  {{"--batch", "1000000000000"}, {"[--batch]", "1 to 1000000"}},
                  {{"--updates", "10000000000"}, {"[--updates]", "1 to 1000000000"}},
                  {{"--grid-images", "5000"}, {"[--grid-images]", "0 to 4096", "5000"}},
                  {{"--init", ""}, {"[--init]", "a path", "empty"}},
                  {{"--init", "x\xff"}, {"[--init]", "UTF-8", "x\\xff"}},
                  {{"--batch", "-5"}, {"batch", "1 to", "-5"}},
                  {{"--batch", "1.5"}, {"--batch", "an integer", "1.5"}},
                  {{"--batch", "99999999999999999999"}, {"--batch", "99999999999999999999"}},
                  {{"--microbatch", "3"}, {"microbatch", "divisor of batch 8", "3"}},
                  {{"--updates", "0"}, {"updates", "1 to", "0"}},
                  {{"--seed", "-1"}, {"--seed", "from 0", "-1"}},
                  {{"--ema-decay", "1.5"}, {"[--ema-decay]", "[0, 1)", "1.5"}},
                  {{"--label-dropout", "2"}, {"[--label-dropout]", "[0, 1)", "2"}},
                  {{"--weighting", "huge"}, {"--weighting", "snr_trunc", "\"huge\""}},
                  {{"--precision", "int8"}, {"--precision", "auto, fp32 or bf16", "\"int8\""}},
                  {{"--workers", "99999999999"}, {"workers", "1 to 64", "99999999999"}},
                  {{"--image-size", "-1"}, {"[--image-size]", "1 to", "-1"}},
                  {{"--image-size", "big"}, {"--image-size", "an integer", "big"}},
                  {{"--anneal=abc"}, {"[--anneal]", "true or false", "abc"}},
                  {{"--device", "tpu"}, {"--device", "cpu, cuda or cuda:K", "tpu"}},
                  {{"--device", "mps"}, {"--device", "cpu, cuda or cuda:K", "mps"}}});
  EXPECT_FALSE(fs::exists(outdir));
}

TEST(Usage, AnUnknownConfigurationListsTheBuiltInOnes) {
  const Workspace workspace;
  EXPECT_TRUE(refuses(
      run({"train", "--config", "cifer10", "--data", workspace.data(), "--outdir",
           workspace / "runs"}),
      2, {"[--config]", "cifar10", "fashion", "imagenet64", "JSON file", "did you mean cifar10?"}));
}

TEST(Usage, ConfigurationsAreStrict) {
  const Workspace workspace;
  const auto refused = [&](const std::string& json, const std::vector<std::string>& words) {
    write_text(workspace.config(), json);
    EXPECT_TRUE(refuses(run(workspace.train(workspace / "runs", {"--dry-run"})), 2, words)) << json;
  };
  refused(R"({"foo": 1})", {"tiny.json", "\"foo\"", "expected one of"});
  refused(R"({"train": {"batc": 1}})", {"tiny.json: train", "\"batc\"", "batch"});
  refused(R"({"train": {"lr": "fast"}})", {"tiny.json: train", "lr", "\"fast\""});
  refused(R"({"train": {"batch": 1.5}})", {"tiny.json: train", "batch", "1.5"});
  refused(R"({"output": "w"})", {"tiny.json] output: expected x, eps, v or x_and_eps", "\"w\""});
  refused(R"({"network": {"ch": 33}})", {"ch", "multiple of 32", "33"});
  refused(R"({"schedule": {"type": "line"}})", {"type", "cosine", "\"line\""});
  refused(R"({"output": "v)", {"tiny.json", "JSON", "line 1"});
  refused("", {"tiny.json", "JSON"});
  refused("[1]", {"tiny.json", "object"});
  EXPECT_FALSE(fs::exists(workspace / "runs"));
}

TEST(Usage, DistillationStepsAndDataAreChecked) {
  const Workspace workspace;
  const fs::path outdir = workspace / "runs";
  expect_refused(
      workspace.distill(outdir),
      {{{"--end-steps", "3"}, {"[--start-steps]", "final number of steps, 3, times 2", "8"}},
       {{"--end-steps", "8"}, {"[--start-steps]", "8"}},
       {{"--end-steps", "0"}, {"[--end-steps]", "1 to", "0"}},
       {{"--start-steps", "-8"}, {"[--start-steps]", "-8"}},
       {{"--start-steps", "abc"}, {"--start-steps", "\"abc\""}},
       {{"--updates-per-stage", "0"}, {"[--updates-per-stage]", "1 to", "0"}},
       {{"--guidance", "5-1"}, {"[--guidance]", "or a range (1-5)", "5-1"}},
       {{"--guidance", "2", "--guide-updates", "0"}, {"[--guide-updates]", "1 to", "0"}}});

  write_images(workspace / "large.npy", 8, 2 * Workspace::kSide, Workspace::kClasses);
  write_images(workspace / "two.npy", 8, Workspace::kSide, 2);
  const Arguments distill = {"distill", "--teacher", Workspace::teacher(), "--outdir", outdir};
  expect_refused(
      distill, {{{"--data", workspace / "large.npy"}, {"data", "[1, 4, 4]", "[1, 8, 8]", "large"}},
                {{"--data", workspace / "two.npy"}, {"data", "3 classes", "2", "two"}}});
  EXPECT_FALSE(fs::exists(outdir));
}

TEST(Usage, SamplingFlagsAreCheckedAgainstTheModel) {
  const Workspace workspace;
  const Arguments bare = {"sample", "--model", Workspace::teacher(), "--npz", workspace / "a.npz"};
  expect_refused(bare, {{{}, {"steps", "teacher", "none"}},
                        {{"--steps", "0"}, {"steps", "1 to", "0"}},
                        {{"--steps", "many"}, {"[--steps]", "an integer", "many"}},
                        {{"--steps", "1000000000000"}, {"[--steps]", "1 to 1000000"}},
                        {{"--steps", "99999999999999999999"}, {"[--steps]", "below 2^63"}},
                        {{"--steps", "4", "--seeds", "5-2"}, {"--seeds", "0-63", "\"5-2\""}},
                        {{"--steps", "4", "--seeds", "-1"}, {"--seeds", "\"-1\""}}});
  expect_refused(Workspace::sample(workspace / "a.npz"),
                 {{{"--class", "3"}, {"class", "0 to 2", "3"}},
                  {{"--class", "-1"}, {"--class", "none", "-1"}},
                  {{"--class", "shoe"}, {"--class", "shoe"}},
                  {{"--guidance", "nan"}, {"guidance", "nan"}},
                  {{"--batch", "0"}, {"batch", "1 to", "0"}},
                  {{"--sampler", "euler"}, {"--sampler", "ddim", "\"euler\""}},
                  {{"--sampler", "ancestral", "--variance", "2"}, {"--variance", "[0, 1]", "2"}}});
  EXPECT_TRUE(refuses(run({"sample", "--model", Workspace::teacher(), "--steps", "4"}), 2,
                      {"--outdir", "--npz", "--grid", "none"}));
  EXPECT_FALSE(fs::exists(workspace / "a.npz"));
}

TEST(Usage, AModelWithoutClassesHasNoGuidance) {
  const Workspace workspace;
  replace_in(workspace.config(), R"("conditional": true)", R"("conditional": false)");
  ASSERT_TRUE(succeeds(run(workspace.train(workspace / "runs", {"--updates", "1"}))));
  expect_refused({"sample", "--model", only_run(workspace / "runs"), "--steps", "2", "--seeds",
                  "0-1", "--npz", workspace / "a.npz"},
                 {{{"--guidance", "2"}, {"guidance", "no null class", "2"}},
                  {{"--class", "1"}, {"class", "no classes", "1"}},
                  {{"--class", "none"}, {"class", "no classes", "none"}}});
}

TEST(Usage, AMachineWithoutCudaSaysSo) {
  const Workspace workspace;
  const Conditions hidden{.environment = {{"CUDA_VISIBLE_DEVICES", ""}}};
  for (const char* device : {"cuda", "cuda:3"}) {
    EXPECT_TRUE(refuses(run(Workspace::sample(workspace / "a.npz", {"--device", device}), hidden),
                        2, {"--device", "cpu", device}));
  }
}

TEST(Usage, ThreadsAreChecked) {
  const Workspace workspace;
  const Arguments sample = {"sample", "--model", Workspace::teacher(), "--steps",
                            "2",      "--npz",   workspace / "a.npz"};
  expect_refused(sample, {{{"--threads", "0"}, {"--threads", "1 to 1024", "0"}},
                          {{"--threads", "1025"}, {"--threads", "1 to 1024", "1025"}},
                          {{"--threads", "abc"}, {"--threads", "an integer", "abc"}}});
}

}  // namespace
}  // namespace halfstep::cli
