#include "halfstep/report/stage_grid.h"

#include <gtest/gtest.h>

#include <numeric>

#include "halfstep/io/image.h"
#include "halfstep/model/generate.h"
#include "halfstep/report/image_grid.h"
#include "tests/io/temporary_folder.h"
#include "tests/model/small_models.h"

namespace halfstep {
namespace {

std::vector<uint8_t> drawn(const std::filesystem::path& folder) {
  return io::read_image(folder / "samples.png").pixels;
}

// The grid of seeds from 0, sampled here.
io::Image grid_of(const Model& model, size_t images, int64_t columns,
                  std::optional<int64_t> num_steps) {
  std::vector<uint64_t> seeds(images);
  std::iota(seeds.begin(), seeds.end(), uint64_t{0});
  GenerateOptions options;
  options.num_steps = num_steps;
  return image_grid(generate(model, seeds, options).images, columns);
}

TEST(StageGrid, DrawsAStudentAtItsOwnSteps) {
  const io::TemporaryFolder folder;
  const Model model =
      test::with_spec(test::small_model(3), [](ModelSpec& spec) { spec.sampling.num_steps = 2; });
  StageGrid(at::kCPU).on_stage_end(folder.path(), model);
  EXPECT_EQ(folder.files(), 1);
  EXPECT_EQ(drawn(folder.path()), grid_of(model, 64, 8, std::nullopt).pixels);
}

TEST(StageGrid, DrawsATeacherAtSixtyFourSteps) {
  const io::TemporaryFolder folder;
  const Model model = test::small_model();
  StageGrid(at::kCPU, 3).on_stage_end(folder.path(), model);
  EXPECT_EQ(drawn(folder.path()), grid_of(model, 3, 2, 64).pixels);
}

TEST(StageGrid, OfNoImagesIsNoFile) {
  const io::TemporaryFolder folder;
  StageGrid(at::kCPU, 0).on_stage_end(folder.path(), test::small_model());
  EXPECT_EQ(folder.files(), 0);
}

}  // namespace
}  // namespace halfstep
