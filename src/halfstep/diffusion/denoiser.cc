#include "halfstep/diffusion/denoiser.h"

#include <utility>

namespace halfstep {

Denoiser make_denoiser(RawOutput raw, Output output) {
  return [raw = std::move(raw), output](const Tensor& z, const Tensor& phi,
                                        const Condition& condition) {
    return predict(output, raw(z, phi, condition), z, phi);
  };
}

}  // namespace halfstep
