// A network that takes the guidance weight as an input, for one weight, is an ordinary network.
#ifndef HALFSTEP_CONVERT_FOLD_GUIDANCE_H_
#define HALFSTEP_CONVERT_FOLD_GUIDANCE_H_

#include "halfstep/model/model.h"

namespace halfstep {

// Returns the model for the weight w alone, with a network that does not take it. Its predictions
// are those of `model` at w, up to rounding: the first dense layer W of the embedding reads the sum
// of the time embedding and P g(w), so that W P g(w) is a part of its bias. Throws ConfigError if
// the network does not take the weight, or if w is outside the model's range.
Model fold_guidance(const Model& model, double w);

}  // namespace halfstep

#endif  // HALFSTEP_CONVERT_FOLD_GUIDANCE_H_
