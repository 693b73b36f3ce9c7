// A folder of a user's own colour photos, in one folder per class, becomes a class-conditional
// student without a configuration file.
#include <gtest/gtest.h>

#include "halfstep/io/image.h"
#include "halfstep/model/model.h"
#include "tests/cli/workspace.h"

namespace halfstep::cli {
namespace {

// Writes photos of several sizes: train/cat, train/dog, test/cat and test/dog.
void write_photos(const fs::path& folder) {
  for (const char* split : {"train", "test"}) {
    for (const char* name : {"cat", "dog"}) {
      fs::create_directories(folder / split / name);
      for (int i = 0; i < 4; ++i) {
        io::Image photo{.width = 12 + i, .height = 10, .channels = 3};
        for (int k = 0; k < photo.width * photo.height * 3; ++k)
          photo.pixels.push_back(static_cast<uint8_t>(k * (i + 3)));
        io::write_png(folder / split / name / (std::to_string(i) + ".png"), photo);
      }
    }
  }
}

TEST(OwnPhotos, BecomeAClassConditionalStudentWithoutAConfigurationFile) {
  const io::TemporaryFolder folder;
  write_photos(folder / "photos");
  const Arguments data = {"--data", folder / "photos", "--image-size", "8"};
  const Arguments small = {"--batch", "4", "--precision", "fp32", "--grid-images", "2"};

  const Finished trained =
      run(Arguments{"train", "--conditional", "--updates", "2", "--outdir", folder / "runs"} +
          data + small);
  ASSERT_TRUE(succeeds(trained));
  EXPECT_NE(trained.err.find("configuration small, channels 32 at 8 pixels, 2 classes"),
            std::string::npos)
      << trained.err;
  const fs::path teacher = only_run(folder / "runs");
  EXPECT_EQ(Model::load(teacher).spec().class_names, (std::vector<std::string>{"cat", "dog"}));

  const Finished distilled =
      run(Arguments{"distill", "--config", "small", "--teacher", teacher, "--start-steps", "4",
                    "--end-steps", "2", "--last-updates", "2", "--match-updates", "2", "--outdir",
                    folder / "students"} +
          data + small);
  ASSERT_TRUE(succeeds(distilled));
  EXPECT_NE(distilled.err.find("4 -> 2 steps: 2 updates; moment matching, 2 steps: 2 updates"),
            std::string::npos)
      << distilled.err;
  const fs::path grid = folder / "grid.png";
  ASSERT_TRUE(
      succeeds(run({"sample", "--model", only_run(folder / "students") / "matched-0002", "--class",
                    "dog", "--seeds", "0-3", "--grid", grid, "--scale", "2", "--captions"})));
  const io::Image image = io::read_image(grid);
  EXPECT_EQ(image.channels, 3);
  EXPECT_EQ(image.width, 2 * (5 * 5 + 2) + 1);  // "0 dog" is wider than 16 pixels
  EXPECT_EQ(image.height, 2 * (16 + 9) + 1);
  EXPECT_TRUE(
      refuses(run({"sample", "--model", teacher, "--steps", "2", "--class", "dgo", "--grid", grid}),
              2, {"[--class]", "did you mean dog?"}));
}

TEST(OwnPhotos, TheirClassesAreNamedToThoseWhoForgetThem) {
  const io::TemporaryFolder folder;
  write_photos(folder / "photos");
  const Finished dry = run(
      {"train", "--data", folder / "photos", "--image-size", "16", "--batch", "2", "--dry-run"});
  ASSERT_TRUE(succeeds(dry));
  EXPECT_NE(dry.err.find("2 classes: --conditional"), std::string::npos) << dry.err;
  EXPECT_NE(dry.err.find("channels 32 at 16, 64 at 8 pixels, no classes"), std::string::npos);
}

TEST(Config, PrintsNamesAndFiles) {
  const Finished names = run({"config"});
  ASSERT_TRUE(succeeds(names));
  EXPECT_NE(names.out.find("\nfashion\n"), std::string::npos) << names.out;
  const io::TemporaryFolder folder;
  const Finished small = run({"config", "small"});
  ASSERT_TRUE(succeeds(small));
  write_text(folder / "mine.json", small.out);
  write_photos(folder / "photos");
  EXPECT_TRUE(succeeds(run({"train", "--config", folder / "mine.json", "--data", folder / "photos",
                            "--image-size", "8", "--batch", "2", "--dry-run"})));
  EXPECT_TRUE(refuses(run({"config", "fashoin"}), 2, {"[NAME]", "did you mean fashion?"}));
}

}  // namespace
}  // namespace halfstep::cli
