#include "halfstep/train/stage_start.h"

#include <utility>

#include "halfstep/train/sharing.h"

namespace halfstep {

std::unique_ptr<StageTraining> start_stage(parallel::ProcessGroup& group, const RunStorage& storage,
                                           const RunOptions& options, const Stage& stage,
                                           int64_t index, const c10::Device& device) {
  // Returns in every process, ready to compute, the network that rank 0 has loaded.
  const auto ready = [&](std::unique_ptr<Network> network) {
    network = broadcast(group, std::move(network), options.model);
    compute_as_stage(*network, options, stage, device);
    return network;
  };
  if (stage.kind == StageKind::distill || stage.kind == StageKind::match) {
    // In moment matching the teacher must know all times, which students do not: it is the run's,
    // once converted.
    const int64_t first = options.stages().front().kind == StageKind::convert ? 1 : 0;
    const int64_t of_teacher = stage.kind == StageKind::match ? first : index;
    std::unique_ptr<Network> teacher = ready(storage.load_teacher(of_teacher));
    std::unique_ptr<Network> student = options.init_sha256   ? ready(storage.load_init())
                                       : of_teacher == index ? teacher->clone()
                                                             : ready(storage.load_teacher(index));
    return std::make_unique<StageTraining>(options, stage, std::move(teacher), std::move(student));
  }
  std::unique_ptr<Network> student = ready(
      stage.kind == StageKind::convert ? storage.load_teacher(index) : storage.initial_network());
  return std::make_unique<StageTraining>(options, stage, nullptr, std::move(student));
}

}  // namespace halfstep
