#ifndef HALFSTEP_TESTS_MODEL_SMALL_MODELS_H_
#define HALFSTEP_TESTS_MODEL_SMALL_MODELS_H_

#include <memory>
#include <string>
#include <utility>

#include "halfstep/model/model.h"
#include "tests/nn/small_networks.h"

namespace halfstep::test {

// Returns the options of a model whose network is the official U-Net.
inline UNetOptions& unet(ModelSpec& spec) { return std::get<UNetOptions>(spec.network); }
inline const UNetOptions& unet(const ModelSpec& spec) {
  return std::get<UNetOptions>(spec.network);
}

// Makes a teacher of 3 x 8 x 8 images with random parameters. With num_classes > 1, it has a null
// class too.
inline Model small_model(int64_t num_classes = 0, uint64_t seed = 1) {
  UNetOptions options = small_unet();
  options.num_classes = num_classes;
  return {{.network = options, .has_null_class = num_classes > 1}, random_unet(options, seed)};
}

// Copies the model and changes the spec of the copy by `change(spec)`. The network stays the same.
template <class Change>
Model with_spec(const Model& model, const Change& change) {
  ModelSpec spec = model.spec();
  change(spec);
  return {std::move(spec), model.network().clone(), model.precision()};
}

// Copies the model and changes the parameter of this name in the copy by `change(tensor)`.
template <class Change>
Model with_parameter(const Model& model, const std::string& name, const Change& change) {
  std::unique_ptr<Network> network = model.network().clone();
  {
    const ParameterEditor editor(*network);
    change(parameter(*network, name));
  }
  return {model.spec(), std::move(network), model.precision()};
}

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_MODEL_SMALL_MODELS_H_
