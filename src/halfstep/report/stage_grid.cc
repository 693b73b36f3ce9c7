#include "halfstep/report/stage_grid.h"

#include <numeric>
#include <vector>

#include "halfstep/model/generate.h"
#include "halfstep/report/image_grid.h"

namespace halfstep::report {

StageGrid::StageGrid(const at::Device& device, PrecisionChoice precision, int64_t images)
    : device_(device), precision_(precision), images_(images) {}

void StageGrid::on_stage_end(const std::filesystem::path& folder, const Model& model) {
  if (images_ == 0 || !is_image(model.spec.network)) return;
  std::vector<uint64_t> seeds(static_cast<size_t>(images_));
  std::iota(seeds.begin(), seeds.end(), uint64_t{0});
  const Model copy{.spec = model.spec, .network = model.network->clone()};
  copy.network->to(device_);
  copy.network->set_precision(resolve(precision_, model.spec.network, device_));
  GenerateOptions options;
  if (model.spec.num_steps == 0) options.num_steps = kTeacherSteps;
  io::write_png(folder / "samples.png", image_grid(generate(copy, seeds, options).images));
}

}  // namespace halfstep::report
