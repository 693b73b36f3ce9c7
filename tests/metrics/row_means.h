// A feature network without weights, and random images for it.
#ifndef HALFSTEP_TESTS_METRICS_ROW_MEANS_H_
#define HALFSTEP_TESTS_METRICS_ROW_MEANS_H_

#include <cstdint>

#include "halfstep/metrics/feature_network.h"
#include "tests/support/random_tensors.h"

namespace halfstep::test {

// The features of an image of `rows` rows are the means of its rows. The logits, if any, are those
// of the first two rows.
class RowMeans final : public metrics::FeatureNetwork {
 public:
  explicit RowMeans(bool classifies, int64_t channels = 1, int64_t rows = 4,
                    bool defines_fid = false)
      : spec_{.name = "rows",
              .num_features = rows,
              .num_logits = classifies ? 2 : 0,
              .in_channels = channels,
              .defines_fid = defines_fid} {}
  const metrics::FeatureSpec& spec() const override { return spec_; }
  metrics::Features operator()(const Tensor& images) const override {
    const Tensor features = metrics::images_for(*this, images).to(at::kFloat).mean({1, 3});
    return {.features = features,
            .logits = spec_.num_logits > 0 ? features.narrow(1, 0, 2) : Tensor()};
  }
  void to(const at::Device&) override {}

 private:
  metrics::FeatureSpec spec_;
};

// uint8 [count, 1, 4, 4]
inline Tensor random_images(int64_t count, uint64_t seed) {
  return (random_normal({count, 1, 4, 4}, seed) * 40.0 + 128.0).clamp(0.0, 255.0).to(at::kByte);
}

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_METRICS_ROW_MEANS_H_
