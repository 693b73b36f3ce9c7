#include "halfstep/metrics/moments.h"

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <limits>

#include "halfstep/core/error.h"
#include "halfstep/io/npy.h"
#include "halfstep/model/tensor_io.h"
#include "tests/io/temporary_folder.h"
#include "tests/support/expect_throws.h"
#include "tests/support/random_tensors.h"
#include "tests/support/tolerance.h"

namespace halfstep::metrics {
namespace {

TEST(MomentsSum, DoNotDependOnThePartitionIntoBatches) {
  // Far from zero, sums of squares would lose half of the digits.
  const Tensor features = test::random_normal({101, 6}, 1).to(at::kDouble) + 1e6;
  MomentsSum first(6);
  MomentsSum second(6);
  first.add(features.narrow(0, 0, 40));
  first.add(features.narrow(0, 40, 1));
  first.add(features.narrow(0, 41, 0));
  second.add(features.narrow(0, 41, 60));
  MomentsSum joined(6);
  joined.merge(first);
  joined.merge(second);
  const Moments moments = joined.moments();
  const Tensor centred = features - features.mean(0);
  EXPECT_EQ(moments.count, 101);
  EXPECT_TENSOR_CLOSE(moments.mean, features.mean(0));
  EXPECT_TENSOR_NEAR(moments.covariance, at::mm(centred.t(), centred) / 100.0, 1e-9);
}

TEST(MomentsSum, NeedTwoImagesAndOneSize) {
  MomentsSum sum(3);
  EXPECT_THROW(sum.moments(), ConfigError);
  sum.add(at::ones({1, 3}));
  EXPECT_THROW(sum.moments(), ConfigError);
  EXPECT_THROW(sum.add(at::ones({1, 4})), ConfigError);
  EXPECT_THROW(sum.merge(MomentsSum(4)), ConfigError);
}

TEST(MomentsFile, RoundTripsBitForBit) {
  const io::TemporaryFolder folder;
  MomentsSum sum(5);
  sum.add(test::random_normal({20, 5}, 1));
  write_moments(folder.path() / "m.npz", sum.moments());
  const Moments read = read_moments(folder.path() / "m.npz");
  EXPECT_TRUE(at::equal(read.mean, sum.moments().mean));
  EXPECT_TRUE(at::equal(read.covariance, sum.moments().covariance));
  EXPECT_EQ(read.count, 20);
  EXPECT_EQ(read.features, "");
}

TEST(MomentsFile, NamesWhatIsWrong) {
  const io::TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "m.npz";
  const auto expect_refused = [&](std::initializer_list<std::string_view> parts, const Tensor& mu,
                                  const Tensor& sigma) {
    const io::Array mu_array = to_array(mu);
    const io::Array sigma_array = to_array(sigma);
    io::write_npz(path, {{"mu", mu_array.view()}, {"sigma", sigma_array.view()}});
    test::expect_throws<FormatError>(parts, [&] { read_moments(path); });
  };
  const auto float64 = at::TensorOptions().dtype(at::kDouble);
  expect_refused({"sigma", "[3, 3]", "[3, 4]"}, at::ones({3}, float64), at::ones({3, 4}, float64));
  expect_refused({"mu", "f64", "i64"}, at::ones({3}, at::kLong), at::ones({3, 3}, float64));
  expect_refused({"sigma", "finite"}, at::ones({2}, float64),
                 at::full({2, 2}, std::numeric_limits<double>::quiet_NaN(), float64));
  const io::Array images = to_array(at::zeros({2, 4, 4, 1}, at::kByte));
  io::write_npz(path, {{"arr_0", images.view()}});
  test::expect_throws<FormatError>({"mu"}, [&] { read_moments(path); });
  const io::Array mu = to_array(at::ones({2}, float64));
  const io::Array sigma = to_array(at::eye(2, float64));
  const io::Array count = to_array(at::ones({1}, at::kLong));
  io::write_npz(path,
                {{"mu", mu.view()}, {"sigma", sigma.view()}, {"halfstep_count", count.view()}});
  test::expect_throws<FormatError>({"halfstep_count", "at least 2", "1"},
                                   [&] { read_moments(path); });
}

}  // namespace
}  // namespace halfstep::metrics
