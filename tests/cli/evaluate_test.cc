// halfstep evaluate, run as a process on real files.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "halfstep/io/json.h"
#include "tests/cli/workspace.h"

namespace halfstep::cli {
namespace {

const fs::path kFeatures =
    fs::path(HALFSTEP_SOURCE_DIR) / "models/features/resnet20-cifar10.safetensors";

class Evaluate : public testing::Test {
 protected:
  // Compares with the workspace's images in the features of ResNet-20, unless `more` names others.
  Arguments evaluate(const Arguments& more) const {
    Arguments all = {"evaluate", "--threads", "1", "--precision", "fp32"};
    const auto given = [&](const char* flag) { return std::ranges::count(more, flag) > 0; };
    if (!given("--reference")) all = all + Arguments{"--reference", workspace_.data()};
    if (!given("--features")) all = all + Arguments{"--features", kFeatures};
    return all + more;
  }
  // Runs evaluate and returns the results that it wrote.
  nlohmann::json results(const Arguments& more) const {
    const fs::path file = workspace_ / "results.json";
    EXPECT_TRUE(succeeds(run(evaluate(more + Arguments{"--json", file}))));
    return io::read_json(file)["results"];
  }

  Workspace workspace_;
};

TEST_F(Evaluate, ASetIsAtDistanceZeroFromItself) {
  const nlohmann::json result =
      results({"--samples", workspace_.data(), "--metrics", "frechet,kid,is,pr"})[0];
  EXPECT_NEAR(result["frechet"].get<double>(), 0.0, 1e-6);
  EXPECT_LT(result["kid"].get<double>(), 1e-6);  // unbiased: below zero, by the diagonal left out
  EXPECT_EQ(result["precision"], 1.0);
  EXPECT_EQ(result["recall"], 1.0);
  EXPECT_GE(result["inception_score"].get<double>(), 1.0);
  EXPECT_EQ(result["num"], Workspace::kImages);
}

TEST_F(Evaluate, AgreementIsTheFractionOfImagesOfTheirOwnClass) {
  const fs::path data = workspace_ / "ten.npy";
  write_images(data, 40, Workspace::kSide, 10);
  const nlohmann::json result = results({"--samples", data, "--metrics", "agreement"})[0];
  const double images = 40.0 * result["agreement"].get<double>();
  EXPECT_EQ(images, std::round(images));
  EXPECT_LT(images, 40.0) << "the images are noise";
  EXPECT_FALSE(result.contains("frechet"));
}

TEST_F(Evaluate, AModelScoresLikeAFileOfItsSamples) {
  const fs::path npz = workspace_ / "samples.npz";
  ASSERT_TRUE(succeeds(run(Workspace::sample(npz))));
  const nlohmann::json of_file = results({"--samples", npz})[0];
  const nlohmann::json of_model =
      results({"--samples", Workspace::teacher(), "--num", "8", "--steps", "4"})[0];
  EXPECT_EQ(of_file["frechet"], of_model["frechet"]);
  EXPECT_GT(of_model["frechet"].get<double>(), 0.0);
  const nlohmann::json others = results(
      {"--samples", Workspace::teacher(), "--num", "8", "--steps", "4", "--first-seed", "8"})[0];
  EXPECT_NE(others["frechet"], of_model["frechet"]);
}

TEST_F(Evaluate, ASweepCoversEverySamplerSpacingAndNumberOfSteps) {
  const fs::path page = workspace_ / "page.html";
  const nlohmann::json found =
      results({"--html", page, "--samples", Workspace::teacher(), "--num", "8", "--steps", "1,4",
               "--sampler", "ddim,heun", "--spacing", "time,logsnr"});
  ASSERT_EQ(found.size(), 8U);
  EXPECT_NE(text_of(page).find("<svg"), std::string::npos);
  std::vector<std::string> seen;
  for (const nlohmann::json& result : found) {
    const bool heun = result["sampler"] == "heun";
    const auto steps = result["steps"].get<int64_t>();
    EXPECT_EQ(result["evaluations"], heun ? 2 * steps - 1 : steps);
    EXPECT_EQ(result["made_for_steps"], 0);
    seen.push_back(result["sampler"].get<std::string>() + " " +
                   result["spacing"].get<std::string>() + " " + std::to_string(steps));
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"ddim time 1", "ddim time 4", "ddim logsnr 1",
                                            "ddim logsnr 4", "heun time 1", "heun time 4",
                                            "heun logsnr 1", "heun logsnr 4"}));
}

TEST_F(Evaluate, ASweepCoversEveryVarianceOfTheAncestralSampler) {
  const nlohmann::json found =
      results({"--samples", Workspace::teacher(), "--num", "8", "--steps", "4", "--sampler",
               "ddim,ancestral", "--variance", "small,0.2,large"});
  ASSERT_EQ(found.size(), 4U);
  EXPECT_FALSE(found[0].contains("variance"));
  const double variances[] = {0.0, 0.2, 1.0};
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(found[i + 1]["variance"], variances[i]);
    EXPECT_NE(found[i + 1]["frechet"], found[i]["frechet"]);
  }
}

TEST_F(Evaluate, ADistillationRunMeansItsTeacherAndStudents) {
  ASSERT_TRUE(succeeds(run(workspace_.distill(workspace_ / "runs"))));
  const nlohmann::json found =
      results({"--samples", only_run(workspace_ / "runs"), "--num", "8", "--steps", "1,8"});
  std::vector<std::pair<std::string, int64_t>> seen;
  for (const nlohmann::json& result : found) {
    seen.emplace_back(fs::path(result["samples"].get<std::string>()).filename().string(),
                      result["steps"].get<int64_t>());
  }
  EXPECT_EQ(seen, (std::vector<std::pair<std::string, int64_t>>{{"teacher.safetensors", 1},
                                                                {"teacher.safetensors", 8},
                                                                {"stage-0004", 4},
                                                                {"stage-0002", 2}}));
}

TEST_F(Evaluate, MomentsCanReplaceTheReference) {
  const fs::path moments = workspace_ / "moments.npz";
  const Arguments samples = {"--samples", Workspace::teacher(), "--num", "8", "--steps", "2"};
  const nlohmann::json of_images = results(samples)[0];
  ASSERT_TRUE(succeeds(run(evaluate({"--moments", moments}))));
  const nlohmann::json of_moments = results(samples + Arguments{"--reference", moments})[0];
  EXPECT_EQ(of_images["frechet"], of_moments["frechet"]);
}

TEST_F(Evaluate, PrintsWhatItMeasuredAndWarnsAboutFewImages) {
  const Finished finished = run(evaluate({"--samples", workspace_.data()}));
  ASSERT_TRUE(succeeds(finished));
  EXPECT_NE(finished.out.find("n 64  FD-ResNet20-CIFAR10 "), std::string::npos) << finished.out;
  EXPECT_NE(finished.err.find("64 images are few for 64 features"), std::string::npos)
      << finished.err;
  const Finished model = run(evaluate({"--samples", Workspace::teacher(), "--num", "8", "--steps",
                                       "2", "--sampler", "ancestral", "--variance", "0.2"}));
  EXPECT_NE(model.out.find("ancestral/time  steps 2  calls 2  variance 0.2  n 8  FD-ResNet20-"),
            std::string::npos)
      << model.out;
}

TEST_F(Evaluate, RefusesWrongUsage) {
  write_images(workspace_ / "larger.npy", 8, Workspace::kSide + 1, 0);
  const fs::path moments = workspace_ / "moments.npz";
  ASSERT_TRUE(succeeds(run(evaluate({"--moments", moments}))));
  const Arguments teacher = {"--samples", Workspace::teacher()};
  const struct {
    Arguments arguments;
    std::vector<std::string> words;
  } mistakes[] = {
      {{}, {"--samples", "neither"}},
      {teacher, {"steps", "teacher"}},
      {teacher + Arguments{"--steps", "0"}, {"steps", "1 to"}},
      {teacher + Arguments{"--num", "1"}, {"--num", "2 to 10000000", "1"}},
      {teacher + Arguments{"--first-seed", "18446744073709551615"}, {"[--first-seed]", "at most"}},
      {teacher + Arguments{"--sampler", "euler"}, {"--sampler", "ddim", "euler"}},
      {teacher + Arguments{"--variance", "0.2,2"}, {"--variance", "[0, 1]", "2"}},
      {teacher + Arguments{"--metrics", "fid"}, {"--metrics", "frechet", "fid"}},
      {{"--samples", workspace_ / "larger.npy"}, {"[1, 4, 4]", "[1, 5, 5]"}},
      {{"--samples", workspace_.data(), "--reference", moments, "--metrics", "kid"},
       {"moments.npz", "kid", "moments"}},
      {teacher + Arguments{"--steps", "2", "--precision", "half"}, {"--precision", "half"}},
      {teacher + Arguments{"--steps", "2", "--metrics", "agreement"},
       {"10 classes", "ResNet20-CIFAR10", "3 classes"}},
      {teacher + Arguments{"--steps", "2", "--metrics", "agreement", "--class", "none"},
       {"10 classes", "without classes"}},
      {{"--samples", workspace_.data(), Workspace::teacher()}, {"steps", "teacher"}},
  };
  for (const auto& [arguments, words] : mistakes) {
    // Before the work: there is no warning about the few images of the reference.
    EXPECT_TRUE(refuses(run(evaluate(arguments)), 2, words)) << testing::PrintToString(arguments);
  }
  EXPECT_TRUE(
      fails(run(evaluate({"--samples", workspace_.data(), "--features", workspace_.data()})), 1,
            {"dots.npy", "feature network"}));
}

}  // namespace
}  // namespace halfstep::cli
