#include "halfstep/train/stage_start.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/train/sharing.h"

namespace halfstep {
namespace {

// Returns the number of the first stage whose teacher is that of moment matching: it must know all
// times, which students of a number of steps do not.
int64_t first_stage_with_steps(const std::vector<Stage>& stages) {
  const auto first = std::ranges::find_if(stages, [](const Stage& stage) {
    return stage.kind != StageKind::convert && stage.kind != StageKind::guide;
  });
  return first - stages.begin();
}

}  // namespace

std::unique_ptr<Network> student_of_teacher(const Network& teacher, const Stage& stage,
                                            const ModelSpec& spec) {
  if (stage.kind != StageKind::guide || stage.guidance->is_fixed()) return teacher.clone();
  std::unique_ptr<Network> student = make_network(spec);
  student->initialize(/*seed=*/0);  // the projection of the guidance weight, to zero
  const ParameterEditor editor(*student);
  for (const NamedTensor& to : editor.parameters()) {
    const auto from = std::ranges::find(teacher.parameters(), to.name, &NamedTensor::name);
    if (from != teacher.parameters().end()) to.tensor.copy_(from->tensor);
  }
  return student;
}

std::unique_ptr<StageTraining> start_stage(parallel::ProcessGroup& group, const RunStorage& storage,
                                           const RunOptions& options, const Stage& stage,
                                           int64_t index, const c10::Device& device) {
  // Returns in every process, ready to compute, the network that rank 0 has loaded.
  const auto ready = [&](std::unique_ptr<Network> network, const ModelSpec& spec) {
    network = broadcast(group, std::move(network), spec, storage.factory());
    compute_as_stage(*network, options, stage, device);
    return network;
  };
  const std::vector<Stage> stages = options.stages();
  const auto teacher_of = [&](int64_t i) {
    return ready(
        storage.load_teacher(i),
        i == 0 ? options.model : stages[static_cast<size_t>(i) - 1].spec_of_model(options.model));
  };
  if (stage.kind == StageKind::train)
    return std::make_unique<StageTraining>(options, stage, nullptr,
                                           ready(storage.initial_network(), options.model));
  if (stage.kind == StageKind::convert)
    return std::make_unique<StageTraining>(options, stage, nullptr, teacher_of(index));

  const int64_t of_teacher =
      stage.kind == StageKind::match ? first_stage_with_steps(stages) : index;
  std::unique_ptr<Network> teacher = teacher_of(of_teacher);
  std::unique_ptr<Network> student;
  if (options.init_sha256) {
    student = ready(storage.load_init(), options.model);
  } else if (of_teacher == index) {
    student = student_of_teacher(*teacher, stage, stage.spec_of_model(options.model));
    compute_as_stage(*student, options, stage, device);
  } else {
    student = teacher_of(index);
  }
  return std::make_unique<StageTraining>(options, stage, std::move(teacher), std::move(student));
}

}  // namespace halfstep
