#ifndef HALFSTEP_REPORT_STAGE_GRID_H_
#define HALFSTEP_REPORT_STAGE_GRID_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "halfstep/train/observer.h"

namespace halfstep::report {

// Writes samples.png next to the model of each finished stage and of each snapshot, and
// teacher-N.png for the teacher with N steps, guided if the students learn that, into the run's
// folder: images of seeds 0, 1, ..., so that models can be compared image by image. A distilled
// model is sampled with its own number of steps, any other with kTeacherSteps unless N is given, on
// the device and in the precision of the stage. For a model that restores images, what is known of
// an image, the restored image and the image itself are side by side, for random images of the data
// set. Models of non-image data are skipped, and so are teachers whose picture exists.
class StageGrid final : public TrainObserver {
 public:
  static constexpr int64_t kImages = 64;
  static constexpr int64_t kTeacherSteps = 64;

  // With 0 images nothing is written.
  explicit StageGrid(int64_t images = kImages) : images_(images) {}
  void on_dataset(const std::shared_ptr<const data::Dataset>& dataset) override {
    dataset_ = dataset;
  }
  void on_teacher(const std::filesystem::path& folder, const Model& teacher,
                  const std::vector<int64_t>& num_steps, std::optional<double> guidance) override;
  void on_snapshot(const std::filesystem::path& folder, const Model& model,
                   int64_t total_updates) override;
  void on_stage_end(const std::filesystem::path& folder, const Model& model) override;

 private:
  void draw(const std::filesystem::path& file, const Model& model, int64_t num_steps,
            std::optional<double> guidance = std::nullopt) const;

  int64_t images_;
  std::shared_ptr<const data::Dataset> dataset_;
};

}  // namespace halfstep::report

#endif  // HALFSTEP_REPORT_STAGE_GRID_H_
