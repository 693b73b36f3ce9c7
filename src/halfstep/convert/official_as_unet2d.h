// Converting the official U-Net to a UNet2DModel. Internal; see diffusers.h.
//
// Block for block, the two are the same: scale and shift, resampling inside residual blocks, sines
// before cosines. Two differences are absorbed by the weights:
//
// - With the cosine schedule, the official network's time input is 1000 phi / (pi/2) = 1000 t. That
//   of a UNet2DModel with 1000 timesteps is p = 1000 t - 1. Every pair of sine and cosine is
//   therefore rotated by its frequency f,
//     sin((p + 1) f) = cos(f) sin(p f) + sin(f) cos(p f)
//     cos((p + 1) f) = cos(f) cos(p f) - sin(f) sin(p f),
//   and so are the columns of dense0.
// - The official class embedding has a bias, which is added to that of dense1. The null label
//   becomes a row of zeros.
//
// The outputs are equal up to rounding, except near log-SNR +-20: the official schedule is clipped
// there, so that phi is no longer pi t / 2, and the time input never exceeds 999.97. The time input
// differs by at most 0.03 of 1000.
#ifndef HALFSTEP_CONVERT_OFFICIAL_AS_UNET2D_H_
#define HALFSTEP_CONVERT_OFFICIAL_AS_UNET2D_H_

#include "halfstep/model/model.h"

namespace halfstep {

// Converts a model with UNetOptions. Throws ConfigError that names what UNet2dOptions cannot
// express: a time input other than inv_cos, a schedule other than cosine, a ch_mult that does not
// begin with 1, attention heads of several sizes.
Model official_as_unet2d(const Model& official);

}  // namespace halfstep

#endif  // HALFSTEP_CONVERT_OFFICIAL_AS_UNET2D_H_
