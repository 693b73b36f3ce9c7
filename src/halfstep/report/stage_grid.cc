#include "halfstep/report/stage_grid.h"

#include <numeric>
#include <vector>

#include "halfstep/model/generate.h"
#include "halfstep/report/image_grid.h"

namespace halfstep::report {

void StageGrid::on_stage_end(const std::filesystem::path& folder, const Model& model) {
  if (images_ == 0 || !is_image(model.spec().network)) return;
  std::vector<uint64_t> seeds(static_cast<size_t>(images_));
  std::iota(seeds.begin(), seeds.end(), uint64_t{0});
  GenerateOptions options;
  if (!model.spec().sampling.is_distilled()) options.num_steps = kTeacherSteps;
  try {
    io::write_png(folder / "samples.png", image_grid(generate(model, seeds, options).images));
  } catch (const NotFiniteError&) {
    // There is no picture of such a model. The run says itself that the stage diverged.
  }
}

}  // namespace halfstep::report
