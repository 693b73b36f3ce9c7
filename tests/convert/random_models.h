// Small models with randomly drawn options, for tests of exported formats.
#ifndef HALFSTEP_TESTS_CONVERT_RANDOM_MODELS_H_
#define HALFSTEP_TESTS_CONVERT_RANDOM_MODELS_H_

#include <cstdint>

#include "halfstep/model/model.h"

namespace halfstep::test {

// Returns a model with random parameters. Its options are a function of the seed: the official
// U-Net for even seeds, diffusers' for odd ones; every output, schedule, sampler that ONNX files
// can have, with and without classes and guidance.
Model random_model(uint64_t seed, bool restores = false);

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_CONVERT_RANDOM_MODELS_H_
