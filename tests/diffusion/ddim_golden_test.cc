// d_diffusion, the deterministic part: q(z_t | x), and the DDIM step after a constant network.
#include <gtest/gtest.h>

#include "halfstep/diffusion/angle.h"
#include "halfstep/diffusion/ddim.h"
#include "halfstep/diffusion/schedule.h"
#include "tests/support/golden.h"

namespace halfstep {
namespace {

using test::Expected;
using test::Golden;

TEST(DiffuseGolden, MeanAndDeviationAreTheOfficialOnes) {
  const Golden golden("d_diffusion");
  const Tensor phi = phi_of_logsnr(golden.at("in/logsnr_t"));
  const Tensor x = golden.images("in/x");
  EXPECT_GOLDEN(diffuse(x, at::zeros_like(x), phi), golden.expected("out/fwd/mean").images());
  const Tensor deviation = diffuse(at::zeros_like(x), at::ones_like(x), phi);
  EXPECT_GOLDEN(deviation, golden.expected("out/fwd/std").images());
  EXPECT_GOLDEN(deviation.square(), golden.expected("out/fwd/var").images());
  EXPECT_GOLDEN(deviation.square().log(), golden.expected("out/fwd/logvar").images());
}

TEST(DdimGolden, StepOfEveryOutputIsTheOfficialOne) {
  const Golden golden("d_diffusion");
  const Schedule schedule = golden.schedule();
  const Tensor z = golden.images("in/step/z_t");
  const Tensor cases = golden.at("in/cases");
  for (const std::string& key : golden.keys("out/ddim/")) {  // "v/clip1"
    const Output output = test::output_named(key.substr(0, key.find('/')));
    const Tensor raw = golden.images(output == Output::x_and_eps ? "in/step/mo6" : "in/step/mo3");
    const Expected expected = golden.expected("out/ddim/" + key);
    for (int64_t c = 0; c < cases.size(0); ++c) {
      const auto num_steps = cases[c][0].item<int64_t>();
      const Tensor step = cases[c][1].expand({z.size(0)});
      SCOPED_TRACE("step " + std::to_string(step[0].item<int64_t>()) + " of " +
                   std::to_string(num_steps));
      const StepAngles angles = step_angles(schedule, step, num_steps);
      Prediction prediction = predict(output, raw, z, angles.phi_t);
      if (key.ends_with("clip1")) prediction = clip(prediction, z, angles.phi_t);
      EXPECT_GOLDEN(ddim_step(prediction, angles.phi_s), expected.with(expected.value[c]).images());
    }
  }
}

}  // namespace
}  // namespace halfstep
