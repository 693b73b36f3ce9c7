#include "halfstep/diffusion/solvers.h"

#include "halfstep/diffusion/angle.h"

namespace halfstep {

Tensor euler_step(const Tensor& z_t, const Tensor& v_t, const Tensor& phi_t, const Tensor& phi_s) {
  return z_t + per_example(v_t, phi_s - phi_t) * v_t;
}

Tensor heun_step(const Tensor& z_t, const Tensor& v_t, const Tensor& v_s, const Tensor& phi_t,
                 const Tensor& phi_s) {
  return z_t + per_example(v_t, 0.5 * (phi_s - phi_t)) * (v_t + v_s);
}

Tensor dpmpp_2m_step(const Tensor& z_t, const Tensor& x_t, const Tensor& x_r, const Tensor& phi_r,
                     const Tensor& phi_t, const Tensor& phi_s) {
  // lambda_a - lambda_b = log(tan(phi_b) / tan(phi_a)). At phi_r = pi/2 the ratio is 0 and the step
  // is first order.
  const Tensor ratio = (phi_t.tan() / phi_s.tan()).log() / (phi_r.tan() / phi_t.tan()).log();
  const Tensor d = x_t + per_example(x_t, 0.5 * ratio) * (x_t - x_r);
  return per_example(z_t, phi_s.sin() / phi_t.sin()) * z_t +
         per_example(d, (phi_t - phi_s).sin() / phi_t.sin()) * d;
}

}  // namespace halfstep
