#ifndef HALFSTEP_METRICS_FRECHET_H_
#define HALFSTEP_METRICS_FRECHET_H_

#include "halfstep/metrics/moments.h"

namespace halfstep::metrics {

// Returns the squared Fréchet (2-Wasserstein) distance between two normal distributions (Dowson and
// Landau, 1982; Heusel et al., 2017):
//   |mu_a - mu_b|^2 + tr A + tr B - 2 tr sqrt(A B)
// The eigenvalues of A B are those of the symmetric matrix sqrt(A) B sqrt(A). So they are real and
// non-negative for any rank of A and B, and the last trace is the sum of their square roots.
// Eigenvalues that rounding makes negative count as 0. Throws ConfigError if the sizes differ.
double frechet_distance(const Moments& a, const Moments& b);

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_FRECHET_H_
