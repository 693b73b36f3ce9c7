#ifndef HALFSTEP_TESTS_MODEL_SMALL_MODELS_H_
#define HALFSTEP_TESTS_MODEL_SMALL_MODELS_H_

#include "halfstep/model/model.h"
#include "tests/nn/small_networks.h"

namespace halfstep::test {

// The options of a model whose network is the official U-Net.
inline UNetOptions& unet(ModelSpec& spec) { return std::get<UNetOptions>(spec.network); }
inline const UNetOptions& unet(const ModelSpec& spec) {
  return std::get<UNetOptions>(spec.network);
}

// A teacher of 3 x 8 x 8 images, every parameter random; num_classes > 1 gives it a null class too.
inline Model small_model(int64_t num_classes = 0, uint64_t seed = 1) {
  Model model;
  UNetOptions options = small_unet();
  options.num_classes = num_classes;
  model.spec.network = options;
  model.spec.has_null_class = num_classes > 1;
  model.network = random_unet(options, seed);
  return model;
}

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_MODEL_SMALL_MODELS_H_
