#ifndef HALFSTEP_REPORT_STAGE_GRID_H_
#define HALFSTEP_REPORT_STAGE_GRID_H_

#include <cstdint>

#include "halfstep/train/observer.h"

namespace halfstep::report {

// Writes samples.png next to the model of each finished stage: images of seeds 0, 1, ..., so that
// stages can be compared image by image. A distilled model is sampled with its own number of steps,
// any other with kTeacherSteps, on the device and in the precision of the stage. Models of
// non-image data are skipped.
class StageGrid final : public TrainObserver {
 public:
  static constexpr int64_t kImages = 64;
  static constexpr int64_t kTeacherSteps = 64;

  // With 0 images nothing is written.
  explicit StageGrid(int64_t images = kImages) : images_(images) {}
  void on_stage_end(const std::filesystem::path& folder, const Model& model) override;

 private:
  int64_t images_;
};

}  // namespace halfstep::report

#endif  // HALFSTEP_REPORT_STAGE_GRID_H_
