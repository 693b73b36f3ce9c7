#include "halfstep/report/stage_grid.h"

#include <gtest/gtest.h>

#include <numeric>

#include "halfstep/io/image.h"
#include "halfstep/model/generate.h"
#include "halfstep/report/image_grid.h"
#include "tests/io/temporary_folder.h"
#include "tests/model/small_models.h"
#include "tests/train/small_runs.h"

namespace halfstep::report {
namespace {

std::vector<uint8_t> drawn(const std::filesystem::path& folder) {
  return io::read_image(folder / "samples.png").pixels;
}

// The expected grid: seeds 0, 1, ..., sampled in the model's own precision.
io::Image grid_of(const Model& model, size_t images, int64_t columns,
                  std::optional<int64_t> num_steps) {
  std::vector<uint64_t> seeds(images);
  std::iota(seeds.begin(), seeds.end(), uint64_t{0});
  GenerateOptions options;
  options.num_steps = num_steps;
  return image_grid(generate(model, seeds, options).images, columns);
}

TEST(StageGrid, SamplesAStudentWithItsOwnSteps) {
  const io::TemporaryFolder folder;
  const Model model =
      test::with_spec(test::small_model(3), [](ModelSpec& spec) { spec.sampling.num_steps = 2; });
  StageGrid().on_stage_end(folder.path(), model);
  EXPECT_EQ(folder.files(), 1);
  EXPECT_EQ(drawn(folder.path()), grid_of(model, 64, 8, std::nullopt).pixels);
}

TEST(StageGrid, SamplesATeacherWithSixtyFourSteps) {
  const io::TemporaryFolder folder;
  const Model model = test::small_model();
  StageGrid(3).on_stage_end(folder.path(), model);
  EXPECT_EQ(drawn(folder.path()), grid_of(model, 3, 2, 64).pixels);
}

TEST(StageGrid, SamplesInThePrecisionOfTheModel) {
  const io::TemporaryFolder folder;
  const Model fp32 = test::small_model();
  const Model bf16 = fp32.on(at::kCPU, Precision::bf16);
  StageGrid(9).on_stage_end(folder.path(), fp32);
  const std::vector<uint8_t> in_fp32 = drawn(folder.path());
  StageGrid(9).on_stage_end(folder.path(), bf16);
  EXPECT_EQ(in_fp32, grid_of(fp32, 9, 3, 64).pixels);
  EXPECT_EQ(drawn(folder.path()), grid_of(bf16, 9, 3, 64).pixels);
  EXPECT_NE(drawn(folder.path()), in_fp32);
}

TEST(StageGrid, DrawsTheTeacherOnceWithEachNumberOfSteps) {
  const io::TemporaryFolder folder;
  const Model teacher = test::small_model();
  io::write_png(folder / "teacher-2.png", {.width = 1, .height = 1, .channels = 1, .pixels = {7}});
  StageGrid(3).on_teacher(folder.path(), teacher, {5, 2}, std::nullopt);
  EXPECT_EQ(folder.files(), 2);
  EXPECT_EQ(io::read_image(folder / "teacher-5.png").pixels, grid_of(teacher, 3, 2, 5).pixels);
  EXPECT_EQ(io::read_image(folder / "teacher-2.png").pixels, std::vector<uint8_t>{7});
}

TEST(StageGrid, DrawsTheTeacherWithTheGuidanceThatTheStudentsLearn) {
  const io::TemporaryFolder folder;
  const Model teacher = test::small_teacher();
  StageGrid(3).on_teacher(folder.path(), teacher, {2}, 3.0);
  const GenerateOptions guided{.num_steps = 2, .guidance = 3.0};
  EXPECT_EQ(io::read_image(folder / "teacher-2.png").pixels,
            image_grid(generate(teacher, {0, 1, 2}, guided).images, 2).pixels);
}

TEST(StageGrid, DrawsADistilledTeacherWithItsOwnStepsOnly) {
  const io::TemporaryFolder folder;
  const Model teacher =
      test::with_spec(test::small_model(3), [](ModelSpec& spec) { spec.sampling.num_steps = 4; });
  StageGrid(3).on_teacher(folder.path(), teacher, {4, 1}, std::nullopt);
  EXPECT_EQ(folder.files(), 1);
  EXPECT_TRUE(std::filesystem::exists(folder / "teacher-4.png"));
}

TEST(StageGrid, DrawsASnapshotLikeAStage) {
  const io::TemporaryFolder folder;
  const Model model = test::small_model();
  StageGrid(3).on_snapshot(folder.path(), model, 10);
  EXPECT_EQ(drawn(folder.path()), grid_of(model, 3, 2, 64).pixels);
}

TEST(StageGrid, ShowsWhatIsKnownBesideTheRestoredImageAndTheWholeOne) {
  const io::TemporaryFolder folder;
  const Model model = test::small_inpainter();
  StageGrid grid(4);
  grid.on_dataset(test::small_dataset());
  grid.on_stage_end(folder.path(), model);
  const io::Image image = io::read_image(folder.path() / "samples.png");
  EXPECT_EQ(image.width, 6 * 9 - 1);  // images of 8 pixels, separated by lines of 1
  EXPECT_EQ(image.height, 2 * 9 - 1);
}

TEST(StageGrid, WritesNoFileForZeroImages) {
  const io::TemporaryFolder folder;
  StageGrid(0).on_stage_end(folder.path(), test::small_model());
  EXPECT_EQ(folder.files(), 0);
}

}  // namespace
}  // namespace halfstep::report
