#include "halfstep/metrics/extract_features.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

namespace halfstep::metrics {
namespace {

Features no_features(const FeatureSpec& spec) {
  Features none{.features = at::empty({0, spec.num_features}), .logits = {}};
  if (spec.num_logits > 0) none.logits = at::empty({0, spec.num_logits});
  return none;
}

void require_same_images(parallel::ProcessGroup& group, const ImageSource& images) {
  if (group.size() == 1) return;
  nlohmann::json what = {{"count", images.count}, {"shape", images.shape}, {"batch", images.batch}};
  if (images.identity) what["images"] = images.identity();
  parallel::require_same(group, what);
}

}  // namespace

FeatureSet extract_features(parallel::ProcessGroup& group, const FeatureNetwork& network,
                            bool keep_features, const ImageSource& images,
                            const std::function<void(int64_t done)>& progress) {
  require_same_images(group, images);
  FeatureSet set(network, keep_features, images.shape);
  for (int64_t round = 0; round < images.count; round += images.batch * group.size()) {
    const int64_t first = std::min(round + images.batch * group.rank(), images.count);
    const int64_t size = std::min(images.batch, images.count - first);
    const Features mine =
        size > 0 ? network(images.read(first, size)) : no_features(network.spec());
    const std::vector<Tensor> features = group.gather(mine.features.cpu());
    std::vector<Tensor> logits(features.size());
    if (keep_features && mine.logits.defined()) logits = group.gather(mine.logits.cpu());
    for (size_t rank = 0; rank < features.size(); ++rank) {
      if (features[rank].size(0) > 0) set.add({.features = features[rank], .logits = logits[rank]});
    }
    if (group.is_rank_zero() && progress) progress(set.count());
  }
  return set;
}

}  // namespace halfstep::metrics
