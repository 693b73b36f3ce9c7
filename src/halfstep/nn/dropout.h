#ifndef HALFSTEP_NN_DROPOUT_H_
#define HALFSTEP_NN_DROPOUT_H_

#include <cstdint>

#include "halfstep/core/tensor.h"
#include "halfstep/diffusion/denoiser.h"

namespace halfstep {

// Sets each element of h [B, C, H, W] to 0 with probability `rate`, scales the others by 1 / (1 -
// rate). The mask is a function of (key, example, site) in NCHW order, made on the CPU whatever h's
// device and layout. `site` tells the network's dropouts apart.
Tensor keyed_dropout(const Tensor& h, double rate, const DropoutKey& key, uint32_t site);

}  // namespace halfstep

#endif  // HALFSTEP_NN_DROPOUT_H_
