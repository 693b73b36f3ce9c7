// c_loss: one loss per example for 4 weightings and 4 outputs, at continuous and at discrete times.
#include <gtest/gtest.h>

#include "halfstep/diffusion/angle.h"
#include "halfstep/diffusion/weighting.h"
#include "tests/support/golden.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

using test::Golden;

struct Times {
  std::string name;
  Tensor phi;
};

// The two ways in which the official code draws t: from [0, 1), and as the end of one of N steps.
std::vector<Times> times_of(const Golden& golden) {
  const Schedule schedule = golden.schedule();
  const auto num_steps = golden.settings().at("discrete_num_steps").get<int64_t>();
  return {{"cont", schedule.phi(golden.at("in/u"))},
          {"disc", step_angles(schedule, golden.at("in/i"), num_steps).phi_t}};
}

TEST(WeightingGolden, NetworkIsCalledWithTheOfficialZAndLogsnr) {
  const Golden golden("c_loss");
  for (const auto& [name, phi] : times_of(golden)) {
    SCOPED_TRACE(name);
    const Tensor z = diffuse(golden.images("in/x"), golden.images("in/eps"), phi);
    EXPECT_GOLDEN(z, golden.expected("out/" + name + "/z").images());
    EXPECT_GOLDEN(logsnr_of_phi(phi), golden.expected("out/" + name + "/logsnr"));
  }
}

TEST(WeightingGolden, LossOfEveryOutputAndWeightingIsTheOfficialOne) {
  const Golden golden("c_loss");
  const Prediction data{.x = golden.images("in/x"), .eps = golden.images("in/eps")};
  for (const auto& [name, phi] : times_of(golden)) {
    for (const std::string& mean_type : golden.strings("mean_types")) {
      const Output output = test::output_named(mean_type);
      const Tensor raw = golden.images(output == Output::x_and_eps ? "in/mo6" : "in/mo3");
      for (const std::string& weight : golden.strings("weights")) {
        const std::string key = "out/" + name + "/" + mean_type + "/" + weight;
        const Tensor loss = weighted_loss(output, test::weighting_named(weight), raw, data, phi);
        EXPECT_GOLDEN(loss, golden.expected(key));
        // Losses of one batch differ by up to 18 orders of magnitude (SNR), so the check above
        // hardly tests the small ones. Residuals of own_output do not cancel, so each loss is
        // close.
        const Tensor official = golden.at(key + "@64");
        EXPECT_TENSOR_CLOSE(loss.to(at::kDouble).div(official).to(at::kFloat),
                            at::ones_like(official))
            << key;
      }
    }
  }
}

}  // namespace
}  // namespace halfstep
