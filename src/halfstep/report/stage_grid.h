#ifndef HALFSTEP_REPORT_STAGE_GRID_H_
#define HALFSTEP_REPORT_STAGE_GRID_H_

#include <cstdint>

#include "halfstep/train/observer.h"
#include "halfstep/train/options.h"

namespace halfstep::report {

// Writes samples.png next to the model of each finished stage: images of seeds 0, 1, ..., so that
// stages can be compared image by image. A distilled model is sampled with its own number of steps,
// any other with kTeacherSteps. Models of non-image data are skipped. The grid is drawn from a copy
// of the network: the observed model is left as it is.
class StageGrid final : public TrainObserver {
 public:
  static constexpr int64_t kImages = 64;
  static constexpr int64_t kTeacherSteps = 64;

  // Draws on `device` in the run's precision. With 0 images nothing is written.
  StageGrid(const at::Device& device, PrecisionChoice precision, int64_t images = kImages);
  void on_stage_end(const std::filesystem::path& folder, const Model& model) override;

 private:
  at::Device device_;
  PrecisionChoice precision_;
  int64_t images_;
};

}  // namespace halfstep::report

#endif  // HALFSTEP_REPORT_STAGE_GRID_H_
