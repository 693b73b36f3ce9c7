#include "halfstep/metrics/known_images.h"

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/io/image.h"
#include "tests/io/temporary_folder.h"
#include "tests/support/expect_throws.h"

namespace halfstep::metrics {
namespace {

using Kind = ImageCondition::Kind;
using test::expect_throws;
namespace fs = std::filesystem;

ModelSpec spec_of(const ImageCondition& condition, int64_t channels) {
  UNetOptions options;
  options.image_size = 4;
  options.in_channels = channels;
  options.condition_ch = condition_channels(condition, channels);
  return {.network = options, .condition = condition};
}

class ReadKnownTest : public testing::Test {
 protected:
  // Writes an image of 4 x 4 pixels whose levels are first, first + 1, ...
  fs::path image(const std::string& name, int channels, uint8_t first) const {
    io::Image image{.width = 4, .height = 4, .channels = channels};
    for (int i = 0; i < 16 * channels; ++i) image.pixels.push_back(static_cast<uint8_t>(first + i));
    fs::create_directories((folder.path() / name).parent_path());
    io::write_png(folder.path() / name, image);
    return folder.path() / name;
  }
  fs::path mask(const std::string& name) const {
    io::Image image{.width = 4, .height = 4, .channels = 1};
    image.pixels.assign(16, 0);
    image.pixels[5] = 255;
    image.pixels[6] = 127;
    fs::create_directories((folder.path() / name).parent_path());
    io::write_png(folder.path() / name, image);
    return folder.path() / name;
  }
  io::TemporaryFolder folder;
  std::vector<uint64_t> seeds;
};

const ModelSpec kFillsIn = spec_of({.kind = Kind::inpainting}, 1);

TEST_F(ReadKnownTest, WhitePixelsOfTheMaskAreFilledIn) {
  const KnownImages known =
      read_known(kFillsIn, {.input = image("a.png", 1, 0), .mask = mask("m.png")}, seeds);
  EXPECT_EQ(seeds, std::vector<uint64_t>{0});
  EXPECT_EQ(known.pixels.sizes(), (at::IntArrayRef{1, 1, 4, 4}));
  EXPECT_EQ(known.mask.sum().item<int64_t>(), 15);
  EXPECT_FALSE(known.mask[0][0][1][1].item<bool>());
}

TEST_F(ReadKnownTest, AFolderHasOneImagePerSeed) {
  image("set/a.png", 1, 0);
  const fs::path set = image("set/b.png", 1, 100).parent_path();
  const KnownImages known = read_known(kFillsIn, {.input = set, .mask = mask("m.png")}, seeds);
  EXPECT_EQ(seeds, (std::vector<uint64_t>{0, 1}));
  EXPECT_EQ(known.pixels[1][0][0][0].item<int>(), 100);
  EXPECT_EQ(known.mask.size(0), 2);
  seeds = {1, 2, 3};
  expect_throws<ConfigError>({"each of 3 seeds", "received 2"}, [&] {
    read_known(kFillsIn, {.input = set, .mask = mask("m.png")}, seeds);
  });
}

TEST_F(ReadKnownTest, OneImageServesAllSeeds) {
  seeds = {5, 9};
  const KnownImages known = read_known(spec_of({.kind = Kind::super_resolution, .factor = 2}, 1),
                                       {.input = image("a.png", 1, 0)}, seeds);
  EXPECT_EQ(known.pixels.size(0), 2);
  EXPECT_EQ(seeds.size(), 2u);
}

TEST_F(ReadKnownTest, DegradesWholeImagesAsTrainingDoes) {
  seeds = {5};
  const KnownImages known =
      read_known(kFillsIn, {.input = image("a.png", 1, 7), .degrade = true}, seeds);
  const Tensor pixels = at::arange(7, 23, at::kByte).reshape({1, 1, 4, 4});
  const KnownImages expected = known_for(kFillsIn, pixels, {5});
  EXPECT_TRUE(at::equal(known.mask, expected.mask));
  EXPECT_TRUE(at::equal(known.pixels, expected.pixels));
}

TEST_F(ReadKnownTest, ColourImagesCountAsGreyOnes) {
  const ModelSpec spec = spec_of({.kind = Kind::colour}, 3);
  EXPECT_EQ(read_known(spec, {.input = image("a.png", 3, 0)}, seeds).pixels.size(1), 1);
  EXPECT_EQ(read_known(spec, {.input = image("b.png", 1, 0)}, seeds).pixels.size(1), 1);
}

TEST_F(ReadKnownTest, RefusesWhatDoesNotFitTheModel) {
  const fs::path grey = image("a.png", 1, 0);
  expect_throws<ConfigError>({"a.png", "restores images", "does not"},
                             [&] { read_known(spec_of({}, 1), {.input = grey}, seeds); });
  expect_throws<ConfigError>({"a.png", "expected a mask", "none"},
                             [&] { read_known(kFillsIn, {.input = grey}, seeds); });
  const ModelSpec enlarges = spec_of({.kind = Kind::super_resolution, .factor = 2}, 3);
  expect_throws<ConfigError>({"m.png", "expected no mask"}, [&] {
    read_known(enlarges, {.input = grey, .mask = mask("m.png")}, seeds);
  });
  expect_throws<ConfigError>({"m.png", "masks are drawn"}, [&] {
    read_known(kFillsIn, {.input = grey, .mask = mask("m.png"), .degrade = true}, seeds);
  });
  expect_throws<ConfigError>({"3 channels", "[1, 1, 4, 4]"},
                             [&] { read_known(enlarges, {.input = grey}, seeds); });
}

}  // namespace
}  // namespace halfstep::metrics
