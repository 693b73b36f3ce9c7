// d_diffusion, the stochastic part: q(z_s | z_t, x), and the step with given noise after a constant
// network. Left out, because halfstep does not have them: `rev/array` (a variance per pixel, which
// is internal to the official code) and `vb` (the variational bound in bits/dim, which is not
// trained on).
#include <gtest/gtest.h>

#include "halfstep/diffusion/ancestral.h"
#include "halfstep/diffusion/angle.h"
#include "halfstep/diffusion/schedule.h"
#include "tests/support/golden.h"

namespace halfstep {
namespace {

using test::Expected;
using test::Golden;

// "small", "fixed_large", "medium:0.3" -> 0, 1, 0.3
double variance_named(std::string name) {
  const std::string fixed = "fixed_";
  if (name.starts_with(fixed)) name = name.substr(fixed.size());
  if (name == "small") return 0.0;
  if (name == "large") return 1.0;
  return std::stod(name.substr(name.find(':') + 1));
}

TEST(AncestralGolden, PosteriorIsTheOfficialOne) {
  const Golden golden("d_diffusion");
  const Tensor phi_t = phi_of_logsnr(golden.at("in/logsnr_t"));
  const Tensor phi_s = phi_of_logsnr(golden.at("in/logsnr_s"));
  const Tensor z = golden.images("in/z_t");
  for (const std::string& name : golden.strings("logvars")) {
    const std::string prefix = "out/rev/" + name + "/";
    const Gaussian ours =
        ancestral_posterior(z, golden.images("in/x"), phi_t, phi_s, variance_named(name));
    EXPECT_GOLDEN(ours.mean, golden.expected(prefix + "mean").images());
    const auto for_all = [&](const Tensor& value) { return per_example(z, value).expand_as(z); };
    EXPECT_GOLDEN(for_all(ours.std), golden.expected(prefix + "std").images());
    EXPECT_GOLDEN(for_all(ours.std.square()), golden.expected(prefix + "var").images());
    EXPECT_GOLDEN(for_all(ours.std.square().log()), golden.expected(prefix + "logvar").images());
  }
}

TEST(AncestralGolden, StepWithGivenNoiseIsTheOfficialOne) {
  const Golden golden("d_diffusion");
  const Schedule schedule = golden.schedule();
  const Tensor z = golden.images("in/step/z_t");
  const Tensor noise = golden.images("in/step/noise");
  const Tensor cases = golden.at("in/cases");
  for (const std::string& key : golden.keys("out/noisy/")) {  // "fixed_medium:0.3/v/clip1"
    const size_t first = key.find('/');
    const size_t second = key.find('/', first + 1);
    const double variance = variance_named(key.substr(0, first));
    const Output output = test::output_named(key.substr(first + 1, second - first - 1));
    const Tensor raw = golden.images(output == Output::x_and_eps ? "in/step/mo6" : "in/step/mo3");
    const Expected expected = golden.expected("out/noisy/" + key);
    for (int64_t c = 0; c < cases.size(0); ++c) {
      const auto num_steps = cases[c][0].item<int64_t>();
      const Tensor step = cases[c][1].expand({z.size(0)});
      SCOPED_TRACE("step " + std::to_string(step[0].item<int64_t>()) + " of " +
                   std::to_string(num_steps));
      const StepAngles angles = step_angles(schedule, step, num_steps);
      Prediction prediction = predict(output, raw, z, angles.phi_t);
      if (key.ends_with("clip1")) prediction = clip(prediction, z, angles.phi_t);
      EXPECT_GOLDEN(ancestral_step(z, prediction.x, angles.phi_t, angles.phi_s, variance, noise),
                    expected.with(expected.value[c]).images());
    }
  }
}

}  // namespace
}  // namespace halfstep
