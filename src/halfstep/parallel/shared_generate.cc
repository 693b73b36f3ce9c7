#include "halfstep/parallel/shared_generate.h"

#include <ATen/Functions.h>

#include <algorithm>

namespace halfstep {
namespace {

Tensor joined(const std::vector<Tensor>& parts) {
  if (parts.empty()) return {};
  return parts.size() == 1 ? parts.front() : at::cat(parts);
}

}  // namespace

Samples generate(ProcessGroup& group, const Model& model, const std::vector<uint64_t>& seeds,
                 const GenerateOptions& options, const Tensor& noise,
                 const GenerateProgress& progress) {
  validate(options, model.spec());
  const auto count = static_cast<int64_t>(seeds.size());
  const Share batches = share_of(group, (count + options.batch - 1) / options.batch);
  const int64_t first = std::min(batches.first * options.batch, count);
  const int64_t end = std::min(first + batches.count * options.batch, count);
  const GenerateProgress of_all = [&](int64_t done) {
    if (progress && group.is_root() && first + done < end) progress(done * count / (end - first));
  };
  const Samples mine = generate(model, {seeds.begin() + first, seeds.begin() + end}, options,
                                noise.defined() ? noise.slice(0, first, end) : noise, of_all);
  Samples samples{.images = joined(group.gather(mine.images))};
  if (mine.labels.defined()) samples.labels = joined(group.gather(mine.labels));
  if (progress && group.is_root()) progress(count);
  return samples;
}

}  // namespace halfstep
