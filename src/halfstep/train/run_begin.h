// The beginning of a run, or of a session that resumes it.
#ifndef HALFSTEP_TRAIN_RUN_BEGIN_H_
#define HALFSTEP_TRAIN_RUN_BEGIN_H_

#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "halfstep/data/dataset.h"
#include "halfstep/data/loader.h"
#include "halfstep/parallel/process_group.h"
#include "halfstep/train/journal.h"
#include "halfstep/train/observer.h"
#include "halfstep/train/options.h"
#include "halfstep/train/run_directory.h"

namespace halfstep {

// Returns the loader of this rank's shard of the batches of the updates after `total_updates`.
std::unique_ptr<data::Loader> make_loader(const parallel::ProcessGroup& group,
                                          const RunOptions& options,
                                          const std::shared_ptr<const data::Dataset>& dataset,
                                          int64_t total_updates);

// Reports on rank 0 that the run begins after `total_updates` updates: to the observer, with the
// teacher if nothing has been distilled yet, and in the journal what the user should know of the
// data and of the teacher.
void report_begin(const RunDirectory& directory, const RunOptions& options,
                  const std::vector<Stage>& stages, int64_t total_updates,
                  const std::shared_ptr<const data::Dataset>& dataset, const c10::Device& device,
                  const NetworkFactory& factory, Journal& journal, TrainObserver& observer);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_RUN_BEGIN_H_
