// What tests compare of a list of stages.
#ifndef HALFSTEP_TESTS_TRAIN_STAGE_LISTS_H_
#define HALFSTEP_TESTS_TRAIN_STAGE_LISTS_H_

#include <cstdint>
#include <vector>

#include "halfstep/train/stage.h"

namespace halfstep::test {

inline std::vector<int64_t> steps_of(const std::vector<Stage>& stages) {
  std::vector<int64_t> steps;
  steps.reserve(stages.size());
  for (const Stage& stage : stages) steps.push_back(stage.num_steps);
  return steps;
}

inline std::vector<int64_t> updates_of(const std::vector<Stage>& stages) {
  std::vector<int64_t> updates;
  updates.reserve(stages.size());
  for (const Stage& stage : stages) updates.push_back(stage.updates);
  return updates;
}

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_TRAIN_STAGE_LISTS_H_
