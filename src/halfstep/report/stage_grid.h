#ifndef HALFSTEP_REPORT_STAGE_GRID_H_
#define HALFSTEP_REPORT_STAGE_GRID_H_

#include <cstdint>

#include "halfstep/train/observer.h"

namespace halfstep {

// Puts samples.png beside the model of each finished stage: images of seeds 0, 1, ..., so that
// stages compare image by image. A model that samples at any N does so with kTeacherSteps; one
// whose examples are no images gets no picture.
class StageGrid final : public TrainObserver {
 public:
  static constexpr int64_t kImages = 64;
  static constexpr int64_t kTeacherSteps = 64;

  // No images, no file.
  explicit StageGrid(const at::Device& device, int64_t images = kImages);
  void on_stage_end(const std::filesystem::path& folder, const Model& model) override;

 private:
  at::Device device_;
  int64_t images_;
};

}  // namespace halfstep

#endif  // HALFSTEP_REPORT_STAGE_GRID_H_
