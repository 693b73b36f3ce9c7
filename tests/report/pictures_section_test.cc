#include <gtest/gtest.h>

#include <algorithm>
#include <span>

#include "halfstep/io/base64.h"
#include "halfstep/io/file.h"
#include "halfstep/io/image.h"
#include "halfstep/report/run_facts.h"
#include "halfstep/report/run_sections.h"
#include "tests/train/small_runs.h"

namespace halfstep::report {
namespace {

// Decodes Base64.
std::string decoded(const std::string& text) {
  static const std::string kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text.substr(0, text.find('='))) {
    bits = bits << 6 | static_cast<uint32_t>(kDigits.find(c));
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<char>(bits >> count & 255));
  }
  return bytes;
}

// Returns the pixels of all pictures of a page.
std::vector<io::Image> pictures_of(const std::string& page) {
  const std::string start = "data:image/png;base64,";
  std::vector<io::Image> pictures;
  for (size_t at = page.find(start); at != std::string::npos; at = page.find(start, at + 1)) {
    const size_t begin = at + start.size();
    const std::string png = decoded(page.substr(begin, page.find('"', begin) - begin));
    pictures.push_back(io::decode_image(std::as_bytes(std::span(png)), "a picture of the page"));
  }
  return pictures;
}

class PicturesSection : public testing::Test {
 protected:
  RunDirectory distillation(const RunOptions& options = test::small_distillation()) const {
    RunDirectory directory = test::start_run(folder / "runs", options);
    test::Recorder recorder;
    test::run(directory, recorder);
    return directory;
  }

  io::TemporaryFolder folder;
};

TEST_F(PicturesSection, PicturesAreOrderedByStepsStudentsBeforeTeachers) {
  const RunDirectory directory = distillation();
  uint8_t shade = 0;
  std::vector<std::string> urls;
  for (const char* name :
       {"teacher-64.png", "stage-0004/samples.png", "stage-0002/samples.png", "teacher-2.png"}) {
    io::write_png(directory.path() / name,
                  {.width = 1, .height = 1, .channels = 1, .pixels = {shade++}});
    urls.push_back("data:image/png;base64," + io::base64(io::read_file(directory.path() / name)));
  }
  for (const char* other : {"teacher-x.png", "teacher-.png", "teacher-4.txt", "grid.png"})
    io::write_file(directory.path() / other, "not a picture of this run");
  const std::string page = pictures_section(gather_facts(directory)).markup;
  size_t before = 0;
  for (const std::string& url : urls) {
    const size_t found = page.find(url);
    ASSERT_NE(found, std::string::npos) << url;
    EXPECT_GT(found, before);
    before = found;
  }
  EXPECT_EQ(page.find("<img", before), std::string::npos) << "no other picture";
}

TEST_F(PicturesSection, TwoStudentsOfAsManyStepsAreToldApart) {
  const RunDirectory directory = distillation(test::small_chain());
  for (const char* name : {"matched-0002/samples.png", "stage-0002/samples.png"})
    io::write_png(directory.path() / name, {.width = 1, .height = 1, .channels = 1, .pixels = {0}});
  const std::string page = pictures_section(gather_facts(directory)).markup;
  const size_t halved = page.find("</b> student<"), matched = page.find("</b> student, matched<");
  ASSERT_NE(halved, std::string::npos) << page;
  ASSERT_NE(matched, std::string::npos) << page;
  EXPECT_LT(halved, matched);
}

TEST_F(PicturesSection, ARowHasTheFirstImagesOfItsGrid) {
  const RunDirectory directory = distillation();
  io::Image grid{.width = 26, .height = 17, .channels = 1, .pixels = {}};  // 3 x 2 images of 8 x 8
  for (int i = 0; i < grid.width * grid.height; ++i)
    grid.pixels.push_back(static_cast<uint8_t>(i % 251));
  io::write_png(directory.path() / "teacher-8.png", grid);
  io::write_png(directory.path() / "stage-0004/samples.png", grid);
  const std::vector<io::Image> pictures =
      pictures_of(pictures_section(gather_facts(directory)).markup);
  ASSERT_EQ(pictures.size(), 4u) << "two rows, then two grids";
  for (size_t row = 0; row < 2; ++row) {
    EXPECT_EQ(pictures[row].width, 26);
    EXPECT_EQ(pictures[row].height, 8);
    EXPECT_TRUE(
        std::ranges::equal(pictures[row].pixels, std::span(grid.pixels).first(size_t{26} * 8)));
    EXPECT_EQ(pictures[2 + row].pixels, grid.pixels);
  }
}

TEST_F(PicturesSection, OfManySnapshotsSomeAreShownWithTheNewest) {
  const RunDirectory directory = test::start_run(folder / "runs", test::small_training());
  const Stage stage = directory.options().stages()[0];
  for (int64_t update = 1; update <= 30; ++update) {
    const std::filesystem::path made = directory.snapshot_folder(stage, update);
    std::filesystem::create_directory(made);
    io::write_file(made / "model.safetensors", "not read by a report");
    io::write_png(made / "samples.png", {.width = 1, .height = 1, .channels = 1, .pixels = {0}});
  }
  const RunFacts facts = gather_facts(directory);
  ASSERT_EQ(facts.snapshots.size(), 1u);
  EXPECT_EQ(facts.snapshots[0].count, 30u);
  ASSERT_EQ(facts.snapshots[0].pictures.size(), 12u);
  EXPECT_EQ(facts.snapshots[0].pictures.front().update, 2);
  EXPECT_EQ(facts.snapshots[0].pictures.back().update, 30);
  EXPECT_NE(pictures_section(facts).markup.find("Snapshots of training (12 of 30)"),
            std::string::npos);
}

}  // namespace
}  // namespace halfstep::report
