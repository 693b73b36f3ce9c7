// a_schedules: the cosine schedule of the official code, both ends included.
#include <gtest/gtest.h>

#include "halfstep/diffusion/angle.h"
#include "halfstep/diffusion/schedule.h"
#include "tests/support/golden.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

using test::Golden;

// Calls check(prefix of the outputs, schedule) for every range of log-SNR in the file.
template <class Check>
void for_each_schedule(const Golden& golden, const Check& check) {
  int index = 0;
  for (const nlohmann::json& range : golden.settings().at("params")) {
    const LogsnrRange clip{.min = range.at(0).get<double>(), .max = range.at(1).get<double>()};
    const std::string prefix = "out/cosine_" + std::to_string(index++) + "/";
    SCOPED_TRACE(prefix);
    check(prefix, Schedule(CosineSchedule{.clip = clip}));
  }
}

TEST(ScheduleGolden, LogsnrIsTheOfficialOne) {
  const Golden golden("a_schedules");
  for_each_schedule(golden, [&](const std::string& prefix, const Schedule& schedule) {
    EXPECT_GOLDEN(logsnr_of_phi(schedule.phi(golden.at("in/t33"))),
                  golden.expected(prefix + "logsnr_33"));
    EXPECT_GOLDEN(logsnr_of_phi(schedule.phi(golden.at("in/t_rand"))),
                  golden.expected(prefix + "logsnr_rand"));
  });
}

TEST(ScheduleGolden, CosineAndSineOfPhiAreAlphaAndSigma) {
  const Golden golden("a_schedules");
  for_each_schedule(golden, [&](const std::string& prefix, const Schedule& schedule) {
    const Tensor phi = schedule.phi(golden.at("in/t33"));
    EXPECT_GOLDEN(phi.cos(), golden.expected(prefix + "alpha_33"));
    EXPECT_GOLDEN(phi.sin(), golden.expected(prefix + "sigma_33"));
  });
}

// The official float32 log-SNR is off by 1e-3 at t = 1, so the tolerance of the vectors is as
// large. Ours is float64. Near the ends the tangent is steep: one rounding of phi changes logsnr by
// 2.2e-16 pi/2 / sin(phi), which is 2e-11 at +-20.
TEST(ScheduleGolden, AnglesAreFloat64ToTheEnds) {
  const Golden golden("a_schedules");
  for_each_schedule(golden, [&](const std::string& prefix, const Schedule& schedule) {
    const Tensor phi = schedule.phi(golden.at("in/t33"));
    const Tensor logsnr = golden.at(prefix + "logsnr_33@64");
    EXPECT_TENSOR_NEAR(phi, phi_of_logsnr(logsnr), 8 * test::kFloat64Rounding);
    EXPECT_TENSOR_CLOSE(logsnr_of_phi(phi), logsnr);
  });
}

}  // namespace
}  // namespace halfstep
