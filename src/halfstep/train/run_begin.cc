#include "halfstep/train/run_begin.h"

#include <string>

#include "halfstep/train/snapshots.h"

namespace halfstep {

std::unique_ptr<data::Loader> make_loader(const parallel::ProcessGroup& group,
                                          const RunOptions& options,
                                          const std::shared_ptr<const data::Dataset>& dataset,
                                          int64_t total_updates) {
  const parallel::Shard shard = parallel::shard_of(group, options.update.batch);
  return std::make_unique<data::Loader>(
      dataset, data::LoaderOptions{.seed = options.update.seed,
                                   .batch_size = options.update.batch,
                                   .first = shard.first,
                                   .count = shard.count,
                                   .random_flip = options.update.random_flip,
                                   .first_update = static_cast<uint64_t>(total_updates),
                                   .num_threads = static_cast<int>(options.update.workers)});
}

void report_begin(const RunDirectory& directory, const RunOptions& options,
                  const std::vector<Stage>& stages, int64_t total_updates,
                  const std::shared_ptr<const data::Dataset>& dataset, const c10::Device& device,
                  const NetworkFactory& factory, Journal& journal, TrainObserver& observer) {
  observer.on_dataset(dataset);
  observer.on_begin(directory.path(), total_updates);
  journal.write("data: " + dataset->info().summary());
  for (const std::string& note : dataset->info().notes()) journal.write(note);
  if (total_updates > 0 || options.kind != RunKind::distill) return;
  if (options.model.output == Output::eps) {
    journal.write(
        "the students predict eps, which says little about x near pure noise: few steps will look "
        "bad; --student-output v converts the teacher first");
  }
  const Model teacher =
      load_for_stage(directory.teacher_path(), options, stages.front(), device, factory);
  const DistillOptions& distill = options.distill;
  observer.on_teacher(directory.path(), teacher, {distill.start_steps, distill.end_steps},
                      distill.guidance.is_on() && distill.guidance.is_fixed()
                          ? std::optional(distill.guidance.min)
                          : std::nullopt);
}

}  // namespace halfstep
