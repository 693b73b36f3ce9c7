#include "halfstep/diffusion/ddim.h"

#include "halfstep/diffusion/angle.h"

namespace halfstep {

Tensor ddim_step(const Prediction& prediction, const Tensor& phi_s) {
  return diffuse(prediction.x, prediction.eps, phi_s);
}

}  // namespace halfstep
