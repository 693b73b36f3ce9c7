#include "halfstep/report/stage_grid.h"

#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "halfstep/metrics/image_source.h"
#include "halfstep/model/generate.h"
#include "halfstep/report/image_grid.h"

namespace halfstep::report {

void StageGrid::on_teacher(const std::filesystem::path& folder, const Model& teacher,
                           const std::vector<int64_t>& num_steps, std::optional<double> guidance) {
  const Sampling& sampling = teacher.spec().sampling;
  for (const int64_t steps : num_steps) {
    const std::filesystem::path file = folder / ("teacher-" + std::to_string(steps) + ".png");
    const bool suits = !sampling.is_distilled() || sampling.num_steps == steps;
    if (suits && !std::filesystem::exists(file)) draw(file, teacher, steps, guidance);
  }
}

void StageGrid::on_snapshot(const std::filesystem::path& folder, const Model& model,
                            int64_t /*total_updates*/) {
  on_stage_end(folder, model);
}

void StageGrid::on_stage_end(const std::filesystem::path& folder, const Model& model) {
  const Sampling& sampling = model.spec().sampling;
  draw(folder / "samples.png", model, sampling.is_distilled() ? sampling.num_steps : kTeacherSteps);
}

void StageGrid::draw(const std::filesystem::path& file, const Model& model, int64_t num_steps,
                     std::optional<double> guidance) const {
  if (images_ == 0 || !is_image(model.spec().network)) return;
  std::vector<uint64_t> seeds(static_cast<size_t>(images_));
  std::iota(seeds.begin(), seeds.end(), uint64_t{0});
  GenerateOptions options;
  options.num_steps = num_steps;
  options.guidance = guidance;
  const ModelSpec& spec = model.spec();
  try {
    if (!spec.condition.is_on()) {
      io::write_png(file, image_grid(generate(model, seeds, options).images));
      return;
    }
    const metrics::ImageSource some =
        metrics::random_subset(metrics::images_of_dataset(dataset_), images_, /*seed=*/0);
    seeds.resize(static_cast<size_t>(some.count));
    const Tensor images = some.read(0, some.count);
    options.known = known_for(spec, images, seeds);
    io::write_png(
        file, restored_grid(spec, options.known, generate(model, seeds, options).images, images));
  } catch (const NotFiniteError&) {
    // There is no picture of such a model. The run says itself that the stage diverged.
  }
}

}  // namespace halfstep::report
