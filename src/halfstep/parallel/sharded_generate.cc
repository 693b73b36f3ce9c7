#include "halfstep/parallel/sharded_generate.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "halfstep/model/sampling_identity.h"

namespace halfstep::parallel {
namespace {

Tensor concatenated(const std::vector<Tensor>& parts) {
  if (parts.empty()) return {};
  return parts.size() == 1 ? parts.front() : at::cat(parts);
}

}  // namespace

Samples generate(ProcessGroup& group, const Model& model, const std::vector<uint64_t>& seeds,
                 const GenerateOptions& options, const Tensor& noise,
                 const GenerateProgress& progress) {
  validate(options, model.spec());
  if (group.size() > 1) require_same(group, sampling_identity(model, options, seeds, noise));
  const auto count = static_cast<int64_t>(seeds.size());
  const Shard batches = shard_of(group, (count + options.batch - 1) / options.batch);
  const int64_t first = std::min(batches.first * options.batch, count);
  const int64_t end = std::min(first + batches.count * options.batch, count);
  const GenerateProgress progress_of_all = [&](int64_t done) {
    if (progress && group.is_rank_zero() && first + done < end)
      progress(done * count / (end - first));
  };
  GenerateOptions of_shard = options;
  if (!options.class_labels.empty())
    of_shard.class_labels = {options.class_labels.begin() + first,
                             options.class_labels.begin() + end};
  if (options.known.defined()) of_shard.known = options.known.narrow(first, end - first);
  const Samples mine =
      generate(model, {seeds.begin() + first, seeds.begin() + end}, of_shard,
               noise.defined() ? noise.slice(0, first, end) : noise, progress_of_all);
  Samples samples{.images = concatenated(group.gather(mine.images))};
  if (mine.labels.defined()) samples.labels = concatenated(group.gather(mine.labels));
  if (progress && group.is_rank_zero()) progress(count);
  return samples;
}

}  // namespace halfstep::parallel
