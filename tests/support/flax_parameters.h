// The parameters of the official networks (flax) in the golden vectors. convert/flax_layout.h has
// the names and layouts.
#ifndef HALFSTEP_TESTS_SUPPORT_FLAX_PARAMETERS_H_
#define HALFSTEP_TESTS_SUPPORT_FLAX_PARAMETERS_H_

#include <string>
#include <vector>

#include "halfstep/convert/flax_layout.h"
#include "halfstep/core/tensor.h"
#include "halfstep/nn/network.h"
#include "halfstep/nn/unet.h"
#include "tests/support/golden.h"

namespace halfstep::test {

// Returns a parameter, or the part of it that a flax path refers to, in the layout of the flax
// array.
Tensor to_flax(const std::string& flax_path, const Tensor& part, at::IntArrayRef flax_shape);

// Returns the parameter with this name.
Tensor find(const std::vector<NamedTensor>& parameters, const std::string& name);

// Fills the parameters with the arrays under `prefix` ("params/", "params/teacher/"); every
// parameter and every array must have its counterpart.
void load_flax(const Golden& golden, const std::string& prefix, Network& network);

// Return the options of the official network from a golden file or from the "config" in its
// settings.
UNetOptions unet_options(const nlohmann::json& config);
inline UNetOptions unet_options(const Golden& golden) {
  return unet_options(golden.settings().at("config"));
}

// Converts the official logsnr_input_type.
TimeInput time_input_named(const std::string& logsnr_input_type);

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_SUPPORT_FLAX_PARAMETERS_H_
