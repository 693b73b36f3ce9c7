// Networks that are small enough for tests: whole U-Nets on 8 x 8 images.
#ifndef HALFSTEP_TESTS_NN_SMALL_NETWORKS_H_
#define HALFSTEP_TESTS_NN_SMALL_NETWORKS_H_

#include <cstdint>
#include <memory>

#include "halfstep/nn/network.h"
#include "halfstep/nn/unet.h"
#include "halfstep/nn/unet2d_options.h"

namespace halfstep::test {

// 3 x 8 x 8, two levels of 32 and 64 channels, one residual block each, attention at 4 x 4.
UNetOptions small_unet();
// 1 x 8 x 8, one level of 32 channels, attention only in the middle: a few ms per update.
UNetOptions tiny_unet();

// A network of diffusers' kind: two levels of 32 and 64 channels in 8 groups, attention in the
// second.
UNet2dOptions small_unet2d();

// All parameters are random, including those that are 0 in a fresh network and would hide errors.
std::unique_ptr<UNet> random_unet(const UNetPlan& plan, uint64_t seed = 1);
inline std::unique_ptr<UNet> random_unet(const UNetOptions& options, uint64_t seed = 1) {
  return random_unet(plan_of(options), seed);
}

// Returns `count` inputs z for a network: N(0, 1), float32.
Tensor random_z(const UNetOptions& options, int64_t count, uint64_t seed = 2);

// Returns `count` angles spread over (0, pi/2).
Tensor spread_angles(int64_t count);

// Returns the parameter of this name.
Tensor parameter(const Network& network, const std::string& name);

// Returns whether all parameters of the two networks have the same bits.
bool same_parameters(const Network& a, const Network& b);

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_NN_SMALL_NETWORKS_H_
