#include "halfstep/report/tensorboard.h"

#include <chrono>
#include <string>
#include <vector>

#include "halfstep/io/file.h"
#include "halfstep/io/image.h"

namespace halfstep::report {
namespace {

double wall_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Adds an evaluation, whose distance has the tag `distance_tag`.
void add_quality(const Quality& quality, const std::string& distance_tag,
                 std::vector<io::EventScalar>& values) {
  if (quality.distance) values.push_back({.tag = distance_tag, .value = *quality.distance});
  values.push_back({.tag = "evaluation/pixel_mean", .value = quality.pixel_mean});
  values.push_back({.tag = "evaluation/pixel_deviation", .value = quality.pixel_deviation});
  values.push_back({.tag = "evaluation/data_mean", .value = quality.data_mean});
  values.push_back({.tag = "evaluation/data_deviation", .value = quality.data_deviation});
}

}  // namespace

void TensorBoardEvents::on_begin(const std::filesystem::path& folder, int64_t total_updates) {
  run_folder_ = folder;
  begin_ = total_updates;
  total_updates_ = total_updates;
}

void TensorBoardEvents::on_stats(const StatsLine& line) {
  total_updates_ = line.total_updates;
  std::vector<io::EventScalar> values;
  if (line.loss) values.push_back({.tag = "loss", .value = *line.loss});
  if (line.grad_norm) values.push_back({.tag = "grad_norm", .value = *line.grad_norm});
  values.push_back({.tag = "lr", .value = line.lr});
  values.push_back({.tag = "images_per_second", .value = line.images_per_second});
  if (line.num_steps > 0)
    values.push_back({.tag = "num_steps", .value = static_cast<double>(line.num_steps)});
  const std::string tag = line.quality ? "evaluation/" + line.quality->distance_name : "";
  if (line.quality) add_quality(*line.quality, tag, values);
  append(io::scalars_event(wall_time(), line.total_updates, values));
}

void TensorBoardEvents::on_stage_end(const std::filesystem::path& folder, const Model& /*model*/) {
  // Resuming a finished run ends its last stage again without an update; its image is there
  // already.
  if (total_updates_ != begin_) add_samples(folder, total_updates_);
}

void TensorBoardEvents::on_snapshot(const std::filesystem::path& folder, const Model& /*model*/,
                                    int64_t total_updates) {
  add_samples(folder, total_updates);
}

void TensorBoardEvents::add_samples(const std::filesystem::path& folder, int64_t step) {
  const std::filesystem::path samples = folder / "samples.png";
  if (!std::filesystem::exists(samples)) return;
  append(io::image_event(wall_time(), step, "samples", io::read_image(samples),
                         io::read_file(samples)));
}

void TensorBoardEvents::append(const std::string& event) {
  if (!file_) {
    const double now = wall_time();
    file_.emplace(run_folder_, now);
    file_->append(io::session_start_event(now, begin_ + 1));
  }
  file_->append(event);
}

}  // namespace halfstep::report
