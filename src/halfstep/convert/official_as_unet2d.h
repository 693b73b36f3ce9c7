// The official U-Net is block for block a UNet2DModel: scale and shift, sizes changed inside of
// residual blocks, sines first. Two things differ, and weights take them up:
//
// - It is told 1000 phi / (pi/2), which for the cosine schedule is 1000 t; a UNet2DModel of 1000
//   timesteps is told p = 1000 t - 1. So every pair of sine and cosine is turned by its frequency,
//     sin((p + 1) f) = cos(f) sin(p f) + sin(f) cos(p f)
//     cos((p + 1) f) = cos(f) cos(p f) - sin(f) sin(p f),
//   and dense0's columns by the same angle.
// - Its class embedding has a bias, which dense1's takes in; the null label is a row of zeros.
//
// Equal up to rounding, but for what the official network knows of log-SNR 20: clipped there, its
// cosine schedule is no longer phi = pi t / 2, and whatever the schedule, it is told no more than
// 999.97. The number that it is told differs by at most 0.03 of 1000.
#ifndef HALFSTEP_CONVERT_OFFICIAL_AS_UNET2D_H_
#define HALFSTEP_CONVERT_OFFICIAL_AS_UNET2D_H_

#include "halfstep/model/model.h"

namespace halfstep {

// Of a model with UNetOptions. Throws ConfigError that names what UNet2dOptions cannot express: a
// time input other than inv_cos, a schedule other than cosine, ch_mult that does not begin with 1,
// heads of several sizes.
Model official_as_unet2d(const Model& official);

}  // namespace halfstep

#endif  // HALFSTEP_CONVERT_OFFICIAL_AS_UNET2D_H_
