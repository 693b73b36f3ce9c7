#include "halfstep/metrics/reference.h"

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <map>

#include "halfstep/core/error.h"
#include "halfstep/io/npy.h"
#include "halfstep/model/tensor_io.h"
#include "tests/io/temporary_folder.h"
#include "tests/metrics/row_means.h"
#include "tests/support/expect_throws.h"

namespace halfstep::metrics {
namespace {

class References : public testing::Test {
 protected:
  // Writes an .npz of these arrays and opens it.
  Reference opened(const std::map<std::string, Tensor>& tensors) const {
    std::map<std::string, io::Array> arrays;
    std::map<std::string, io::ArrayView> views;
    for (const auto& [name, tensor] : tensors) arrays[name] = to_array(tensor);
    for (const auto& [name, array] : arrays) views[name] = array.view();
    io::write_npz(folder / "batch.npz", views);
    return open_reference(folder / "batch.npz");
  }

  io::TemporaryFolder folder;
  const test::RowMeans network{/*classifies=*/true};  // 4 features
  const Tensor images = test::random_images(9, 1).permute({0, 2, 3, 1}).contiguous();
  const Tensor mean = at::zeros({4}, at::kDouble);
  const Tensor covariance = at::eye(4, at::kDouble);
  const Tensor other_mean = at::zeros({5}, at::kDouble);
  const Tensor other_covariance = at::eye(5, at::kDouble);
  const EvaluationOptions frechet{.metrics = {Metric::frechet, Metric::inception_score}};
  const EvaluationOptions kid{.metrics = {Metric::frechet, Metric::kid}};
};

TEST_F(References, HaveImagesOrMoments) {
  const Reference moments = opened({{"mu", mean}, {"sigma", covariance}});
  EXPECT_FALSE(moments.images);
  EXPECT_TRUE(uses_moments(moments, network, frechet));
  const Reference source = opened({{"arr_0", images}});
  EXPECT_FALSE(source.moments);
  EXPECT_EQ(source.images->count, 9);
  EXPECT_FALSE(uses_moments(source, network, frechet));
}

TEST_F(References, WithBothUseTheImagesWhereTheMomentsDoNotServe) {
  const Reference both = opened({{"arr_0", images}, {"mu", mean}, {"sigma", covariance}});
  EXPECT_TRUE(uses_moments(both, network, frechet));
  EXPECT_FALSE(uses_moments(both, network, kid));
  const Reference other =
      opened({{"arr_0", images}, {"mu", other_mean}, {"sigma", other_covariance}});
  EXPECT_FALSE(uses_moments(other, network, frechet));
}

TEST_F(References, OfMomentsThatDoNotServeAreRefusedWithTheirFileAndShapes) {
  const Reference moments = opened({{"mu", mean}, {"sigma", covariance}});
  test::expect_throws<ConfigError>({"batch.npz]", "images", "kid", "moments"},
                                   [&] { uses_moments(moments, network, kid); });
  const Reference other = opened({{"mu", other_mean}, {"sigma", other_covariance}});
  test::expect_throws<ConfigError>({"batch.npz]", "4 features of rows", "[5]", "[5, 5]"},
                                   [&] { uses_moments(other, network, frechet); });
  EXPECT_THROW(opened({{"sigma", covariance}}), FormatError);
  EXPECT_THROW(opened({{"images", images}}), FormatError);
}

TEST_F(References, OfMomentsAreOfTheNetworkThatMadeThem) {
  FeatureSet set(network, /*keep_features=*/false);
  set.add(images.permute({0, 3, 1, 2}));
  write_moments(folder / "m.npz", set.moments());
  Reference reference = open_reference(folder / "m.npz");
  EXPECT_EQ(reference.moments->count, 9);
  EXPECT_EQ(reference.moments->features, "rows");
  EXPECT_TRUE(uses_moments(reference, network, frechet));
  reference.moments->features = "columns";
  test::expect_throws<ConfigError>({"4 features of rows", "of columns"},
                                   [&] { uses_moments(reference, network, frechet); });
}

}  // namespace
}  // namespace halfstep::metrics
