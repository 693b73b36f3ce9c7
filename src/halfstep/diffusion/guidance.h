#ifndef HALFSTEP_DIFFUSION_GUIDANCE_H_
#define HALFSTEP_DIFFUSION_GUIDANCE_H_

#include "halfstep/diffusion/denoiser.h"

namespace halfstep {

// Classifier-free guidance (Ho & Salimans 2022) by two calls of the network, one with the labels
// and one without:
//
//   raw = raw_null + w (raw_label - raw_null)
//
// w = 1 turns guidance off and returns `raw` itself, which costs one call; w = 0 ignores the
// labels. In the paper's convention, (1 + w') raw_label - w' raw_null, w' is w - 1 and 0 turns
// guidance off. Without labels there is nothing to guide: one call, whatever w is.
RawOutput guided(RawOutput raw, double w);

}  // namespace halfstep

#endif  // HALFSTEP_DIFFUSION_GUIDANCE_H_
