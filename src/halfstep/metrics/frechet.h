#ifndef HALFSTEP_METRICS_FRECHET_H_
#define HALFSTEP_METRICS_FRECHET_H_

#include "halfstep/metrics/moments.h"

namespace halfstep::metrics {

// The squared Fréchet (2-Wasserstein) distance of two normal distributions (Dowson and Landau,
// 1982; Heusel et al., 2017):
//   |mu_a - mu_b|^2 + tr A + tr B - 2 tr sqrt(A B)
// The eigenvalues of A B are those of the symmetric sqrt(A) B sqrt(A), so the last trace is the sum
// of the square roots of real numbers, whatever the rank of A and B; what rounding makes negative
// counts as 0. Throws ConfigError where the sizes differ.
double frechet_distance(const Moments& a, const Moments& b);

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_FRECHET_H_
