#ifndef HALFSTEP_TESTS_DEVICE_FIRST_STAGE_H_
#define HALFSTEP_TESTS_DEVICE_FIRST_STAGE_H_

#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <utility>

#include "halfstep/data/loader.h"
#include "halfstep/train/stage_training.h"
#include "tests/train/small_runs.h"

namespace halfstep::test {

// The first stage of a run on a device, with small_teacher() and a student with fresh weights.
class FirstStage {
 public:
  FirstStage(const RunOptions& options, const c10::Device& device)
      : options_(options),
        stage_(options_.stages().front()),
        training_(options_, stage_, ready(small_teacher().network().clone(), device),
                  ready(fresh_student(), device)) {}
  FirstStage(const FirstStage&) = delete;
  FirstStage& operator=(const FirstStage&) = delete;

  // Makes update `update` with four examples.
  UpdateReport make_update(uint64_t update) {
    return training_.method().update(load_batch(*small_dataset(), {.batch_size = 4}, update), 1e-3);
  }

  Method& method() { return training_.method(); }

 private:
  std::unique_ptr<Network> fresh_student() const {
    std::unique_ptr<Network> student = make_network(stage_.spec_of_model(options_.model));
    student->initialize(1);
    return student;
  }

  std::unique_ptr<Network> ready(std::unique_ptr<Network> network,
                                 const c10::Device& device) const {
    compute_as_stage(*network, options_, stage_, device);
    return network;
  }

  const RunOptions options_;
  const Stage stage_;
  StageTraining training_;
};

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_DEVICE_FIRST_STAGE_H_
