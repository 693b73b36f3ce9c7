#include "halfstep/diffusion/tiled.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "halfstep/core/error.h"

namespace halfstep {
namespace {

// Returns where tiles start along an axis: as few as overlap by half or more, evenly spaced.
std::vector<int64_t> tile_starts(int64_t length, int64_t size) {
  const int64_t stride = std::max<int64_t>(size / 2, 1);
  const int64_t last = length - size;
  const int64_t intervals = (last + stride - 1) / stride;
  std::vector<int64_t> starts = {0};
  for (int64_t i = 1; i <= intervals; ++i) starts.push_back(i * last / intervals);
  return starts;
}

// Returns the weights of the pixels of a tile along an axis, [size].
Tensor tile_weights(int64_t size, const at::TensorOptions& options) {
  const Tensor pixel = at::arange(size, options);
  return at::minimum(pixel + 1.0, static_cast<double>(size) - pixel);
}

}  // namespace

Denoiser tiled(Denoiser denoiser, int64_t height, int64_t width) {
  return [denoiser = std::move(denoiser), height, width](const Tensor& z, const Tensor& phi,
                                                         const Condition& condition) {
    if (z.dim() != 4 || z.size(2) < height || z.size(3) < width) {
      throw ConfigError("tiled", "z: expected images of at least " + std::to_string(height) +
                                     " x " + std::to_string(width) + " pixels, received " +
                                     c10::str(z.sizes()));
    }
    if (z.size(2) == height && z.size(3) == width) return denoiser(z, phi, condition);
    const Tensor weights =
        tile_weights(height, z.options()).unsqueeze(1) * tile_weights(width, z.options());
    Prediction sum{.x = at::zeros_like(z), .eps = at::zeros_like(z)};
    Tensor total = at::zeros_like(z.select(0, 0).select(0, 0));  // of the weights, [H, W]
    for (const int64_t top : tile_starts(z.size(2), height)) {
      for (const int64_t left : tile_starts(z.size(3), width)) {
        const auto tile_of = [&](const Tensor& image) {
          return image.narrow(-2, top, height).narrow(-1, left, width);
        };
        Condition part = condition;
        for (auto& [name, tensor] : part.tensors) tensor = tile_of(tensor).contiguous();
        const Prediction tile = denoiser(tile_of(z).contiguous(), phi, part);
        tile_of(sum.x).add_(tile.x * weights);
        tile_of(sum.eps).add_(tile.eps * weights);
        tile_of(total).add_(weights);
      }
    }
    return Prediction{.x = sum.x / total, .eps = sum.eps / total};
  };
}

}  // namespace halfstep
