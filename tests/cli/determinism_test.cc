// The same seed gives the same bits; the noise of a seed depends on nothing else.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <span>
#include <vector>

#include "halfstep/core/random.h"
#include "halfstep/io/npy.h"
#include "tests/cli/workspace.h"

namespace halfstep::cli {
namespace {

std::vector<uint8_t> images_of(const fs::path& npz) {
  const io::Array array = io::read_npz(npz).at("arr_0");
  const std::span<const uint8_t> values = array.as<uint8_t>();
  return {values.begin(), values.end()};
}

std::vector<int64_t> labels_of(const fs::path& npz) {
  const io::Array array = io::read_npz(npz).at("arr_1");
  const std::span<const int64_t> values = array.as<int64_t>();
  return {values.begin(), values.end()};
}

int largest_difference(std::span<const uint8_t> left, std::span<const uint8_t> right) {
  EXPECT_EQ(left.size(), right.size());
  int largest = 0;
  for (size_t i = 0; i < std::min(left.size(), right.size()); ++i)
    largest = std::max(largest, std::abs(int{left[i]} - int{right[i]}));
  return largest;
}

constexpr size_t kImage = Workspace::kSide * Workspace::kSide;

TEST(Determinism, TheSameSeedTrainsTheSameModelAndAnotherDoesNot) {
  const Workspace workspace;
  const auto train = [&](const std::string& name, const std::string& seed) {
    EXPECT_TRUE(
        succeeds(run(workspace.train(workspace / name, {"--seed", seed, "--updates", "5"}))));
    return only_run(workspace / name) / "model.safetensors";
  };
  const fs::path first = train("first", "5");
  EXPECT_TRUE(same_weights(first, train("again", "5")));
  EXPECT_FALSE(same_weights(first, train("other", "6")));
}

TEST(Determinism, LoadingThreadsChangeNothing) {
  const Workspace workspace;
  const auto distill = [&](const std::string& name, const std::string& workers) {
    EXPECT_TRUE(succeeds(run(workspace.distill(workspace / name, {"--workers", workers}))));
    return only_run(workspace / name) / "stage-0002" / "model.safetensors";
  };
  EXPECT_TRUE(same_weights(distill("one", "1"), distill("three", "3")));
}

TEST(Determinism, ImagesDoNotDependOnTheBatchTheyAreMadeIn) {
  const Workspace workspace;
  ASSERT_TRUE(succeeds(run(Workspace::sample(workspace / "one.npz", {"--batch", "1"}))));
  ASSERT_TRUE(succeeds(run(Workspace::sample(workspace / "eight.npz", {"--batch", "8"}))));
  ASSERT_TRUE(succeeds(run(Workspace::sample(workspace / "three.npz", {"--batch", "3"}))));
  const std::vector<uint8_t> one = images_of(workspace / "one.npz");
  EXPECT_LE(largest_difference(one, images_of(workspace / "eight.npz")), 1);
  EXPECT_LE(largest_difference(one, images_of(workspace / "three.npz")), 1);
  EXPECT_EQ(labels_of(workspace / "one.npz"), labels_of(workspace / "eight.npz"));
  EXPECT_EQ(labels_of(workspace / "one.npz"), labels_of(workspace / "three.npz"));
}

TEST(Determinism, ASeedGivesItsImageWhateverTheOthersAre) {
  const Workspace workspace;
  ASSERT_TRUE(succeeds(run(Workspace::sample(workspace / "all.npz", {"--sampler", "ancestral"}))));
  ASSERT_TRUE(succeeds(run({"sample", "--model", Workspace::teacher(), "--seeds", "5,2,900",
                            "--steps", "4", "--sampler", "ancestral", "--npz",
                            workspace / "some.npz", "--threads", "1", "--precision", "fp32"})));
  const std::vector<uint8_t> all = images_of(workspace / "all.npz");
  const std::vector<uint8_t> some = images_of(workspace / "some.npz");
  ASSERT_EQ(some.size(), 3 * kImage);
  const auto image = [](const std::vector<uint8_t>& images, size_t i) {
    return std::span(images).subspan(i * kImage, kImage);
  };
  EXPECT_LE(largest_difference(image(some, 0), image(all, 5)), 1);
  EXPECT_LE(largest_difference(image(some, 1), image(all, 2)), 1);
  EXPECT_GT(largest_difference(image(some, 2), image(all, 0)), 1);
  EXPECT_EQ(labels_of(workspace / "some.npz")[0], labels_of(workspace / "all.npz")[5]);
}

TEST(Determinism, NoiseOfAFileIsUsedAsItIs) {
  const Workspace workspace;
  // the noise of seeds 0 to 7, by the definition in core/random.h
  std::vector<float> noise(8 * kImage);
  for (uint64_t seed = 0; seed < 8; ++seed) {
    fill_normal({.seed = seed, .purpose = Purpose::sample_noise},
                std::span(noise).subspan(seed * kImage, kImage));
  }
  const fs::path file = workspace / "noise.npy";
  io::write_npy(file,
                io::make_array<float>({8, 1, Workspace::kSide, Workspace::kSide}, noise).view());
  ASSERT_TRUE(succeeds(run(Workspace::sample(workspace / "seeds.npz"))));
  ASSERT_TRUE(succeeds(run(Workspace::sample(workspace / "file.npz", {"--noise", file}))));
  EXPECT_EQ(images_of(workspace / "seeds.npz"), images_of(workspace / "file.npz"));

  io::write_npy(
      file, io::make_array<float>({4, 1, 2 * Workspace::kSide, Workspace::kSide}, noise).view());
  EXPECT_TRUE(refuses(run(Workspace::sample(workspace / "a.npz", {"--noise", file})), 2,
                      {"noise", "[8, 1, 4, 4]", "[4, 1, 8, 4]"}));
  write_text(file, "no noise");
  EXPECT_TRUE(refuses(run(Workspace::sample(workspace / "a.npz", {"--noise", file})), 1,
                      {"noise.npy", "NUMPY"}));
}

}  // namespace
}  // namespace halfstep::cli
