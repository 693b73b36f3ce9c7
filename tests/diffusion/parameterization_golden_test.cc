// b_param: x, eps and v from a raw output, from log-SNR -20 to 20.
#include <gtest/gtest.h>

#include "halfstep/diffusion/angle.h"
#include "halfstep/diffusion/parameterization.h"
#include "tests/support/golden.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

using test::Golden;

// Calls check(prefix of the outputs, our prediction, phi) for every output, with and without
// clipping, in float32.
template <class Check>
void for_each_prediction(const Golden& golden, const Check& check) {
  const Tensor phi = phi_of_logsnr(golden.at("in/logsnr"));
  const Tensor z = golden.images("in/z");
  for (const std::string& mean_type : golden.strings("mean_types")) {
    const Output output = test::output_named(mean_type);
    const Tensor raw = golden.images(output == Output::x_and_eps ? "in/mo6" : "in/mo3");
    for (const int64_t clipped : golden.integers("clip")) {
      Prediction prediction = predict(output, raw, z, phi);
      if (clipped != 0) prediction = clip(prediction, z, phi);
      const std::string prefix = "out/" + mean_type + "/clip" + std::to_string(clipped) + "/";
      SCOPED_TRACE(prefix);
      check(prefix, prediction, phi);
    }
  }
}

TEST(ParameterizationGolden, XIsTheOfficialOne) {
  const Golden golden("b_param");
  for_each_prediction(golden,
                      [&](const std::string& prefix, const Prediction& ours, const Tensor&) {
                        EXPECT_GOLDEN(ours.x, golden.expected(prefix + "x").images());
                      });
}

TEST(ParameterizationGolden, EpsIsTheOfficialOne) {
  const Golden golden("b_param");
  for_each_prediction(golden,
                      [&](const std::string& prefix, const Prediction& ours, const Tensor&) {
                        EXPECT_GOLDEN(ours.eps, golden.expected(prefix + "eps").images());
                      });
}

TEST(ParameterizationGolden, VIsTheOfficialOne) {
  const Golden golden("b_param");
  for_each_prediction(golden,
                      [&](const std::string& prefix, const Prediction& ours, const Tensor& phi) {
                        EXPECT_GOLDEN(v_of(ours, phi), golden.expected(prefix + "v").images());
                      });
}

// The official float32 `both` loses 3 digits at the ends, because it computes 1 - sigmoid and
// derives eps from x. Ours is equivalent to v and loses none.
TEST(ParameterizationGolden, BothIsNearFloat64WhereTheOfficialFloat32IsNot) {
  const Golden golden("b_param");
  const Tensor phi = phi_of_logsnr(golden.at("in/logsnr"));
  const Prediction ours =
      predict(Output::x_and_eps, golden.images("in/mo6"), golden.images("in/z"), phi);
  EXPECT_TENSOR_CLOSE(ours.x, golden.images("out/both/clip0/x@64"));
  EXPECT_TENSOR_CLOSE(ours.eps, golden.images("out/both/clip0/eps@64"));
  EXPECT_TENSOR_CLOSE(v_of(ours, phi), golden.images("out/both/clip0/v@64"));
}

}  // namespace
}  // namespace halfstep
