#ifndef HALFSTEP_DIFFUSION_TILED_H_
#define HALFSTEP_DIFFUSION_TILED_H_

#include <cstdint>

#include "halfstep/diffusion/denoiser.h"

namespace halfstep {

// Returns a denoiser of larger images: it calls `denoiser` on tiles of height x width pixels that
// overlap by half or more, and averages x and eps where tiles overlap (Bar-Tal et al. 2023,
// MultiDiffusion). The weight of a tile falls linearly from its centre to its edges, so that no
// edge shows. z is [B, C, H, W] with H >= height and W >= width; images of exactly that size are
// one tile. The tensors of the condition, [B, K, H, W], are cut like z. `denoiser` is called once
// per tile, with B examples. Throws ConfigError for smaller images.
Denoiser tiled(Denoiser denoiser, int64_t height, int64_t width);

}  // namespace halfstep

#endif  // HALFSTEP_DIFFUSION_TILED_H_
