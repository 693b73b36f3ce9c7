#ifndef HALFSTEP_TESTS_MODEL_SMALL_MODELS_H_
#define HALFSTEP_TESTS_MODEL_SMALL_MODELS_H_

#include "halfstep/model/model.h"
#include "tests/nn/small_networks.h"

namespace halfstep::test {

// A teacher of 3 x 8 x 8 images, every parameter random; num_classes > 1 gives it a null class too.
inline Model small_model(int64_t num_classes = 0, uint64_t seed = 1) {
  Model model;
  model.spec.network = small_unet();
  model.spec.network.num_classes = num_classes;
  model.spec.has_null_class = num_classes > 1;
  model.network = random_unet(model.spec.network, seed);
  return model;
}

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_MODEL_SMALL_MODELS_H_
