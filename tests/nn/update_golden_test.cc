// g_train_*, g_distill_D: loss and gradients of one update, network and diffusion together.
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "halfstep/diffusion/angle.h"
#include "halfstep/diffusion/weighting.h"
#include "halfstep/nn/unet.h"
#include "halfstep/objective/teacher_objective.h"
#include "tests/support/flax_parameters.h"
#include "tests/support/golden.h"

namespace halfstep {
namespace {

using test::Golden;

// One file, and the network whose gradients it holds.
struct Update {
  Update(const std::string& file, const Golden& network_file, const std::string& prefix)
      : golden(file),
        prefix(prefix),
        network_file(network_file),
        network(test::unet_options(golden)) {
    test::load_flax(network_file, prefix, network);
    for (const NamedTensor& parameter : network.parameters()) {
      Tensor(parameter.tensor).requires_grad_();
    }
    batch.x = golden.images("in/image_0_255") / 127.5 - 1.0;
    batch.eps = golden.images("in/eps");
    batch.condition.labels = golden.at("in/label");
  }

  void zero_grad() {
    for (const NamedTensor& parameter : network.parameters()) {
      Tensor(parameter.tensor).mutable_grad() = Tensor();
    }
  }

  // Returns the gradient of a flax parameter, in flax's layout: zeros if nothing depends on it.
  Tensor gradient(const std::string& path) const {
    const Tensor parameter = test::find(network.parameters(), our_name(path));
    const Tensor gradient =
        parameter.grad().defined() ? parameter.grad() : at::zeros_like(parameter);
    return test::to_flax(path, part_of(path, gradient), network_file.at(prefix + path).sizes());
  }

  Golden golden;
  std::string prefix;
  const Golden& network_file;
  UNet network;
  Batch batch;
};

// Returns the first 4 elements, repeated if there are fewer.
Tensor first_four(const Tensor& gradient) {
  const Tensor flat = gradient.flatten();
  return flat.repeat({4}).slice(0, 0, 4);
}

void expect_official_gradients(const Update& update, const std::string& prefix) {
  std::vector<Tensor> norms;
  std::vector<Tensor> firsts;
  for (const std::string& path : update.golden.strings("param_order")) {
    norms.push_back(update.gradient(path).norm());
    firsts.push_back(first_four(update.gradient(path)));
  }
  const Tensor all_norms = at::stack(norms);
  EXPECT_GOLDEN(all_norms, update.golden.expected(prefix + "tensor_norms"));
  EXPECT_GOLDEN(at::stack(firsts), update.golden.expected(prefix + "first4"));
  EXPECT_GOLDEN(all_norms.norm(), update.golden.expected(prefix + "gnorm"));
  for (const std::string& path : update.golden.keys(prefix + "grad/")) {
    EXPECT_GOLDEN(update.gradient(path), update.golden.expected_gradient(prefix + "grad/", path));
  }
}

// Loss and gradients of every weighting under out/<tag>/.
void expect_official_update(Update& update, const std::string& tag, const Prediction& target) {
  SCOPED_TRACE(tag);
  const Golden& golden = update.golden;
  const Batch& batch = update.batch;
  const Output output = test::output_named(tag.substr(0, tag.find('_')));
  const Tensor raw = update.network.forward(batch.z, batch.angles.phi_t, batch.condition);
  std::vector<Tensor> per_example;
  for (const std::string& weight : golden.strings("weights")) {
    SCOPED_TRACE(weight);
    update.zero_grad();
    per_example.push_back(
        weighted_loss(output, test::weighting_named(weight), raw, target, batch.angles.phi_t));
    const Tensor loss = per_example.back().mean();
    loss.backward({}, /*retain_graph=*/true);
    const std::string prefix = "out/" + tag + "/" + weight + "/";
    EXPECT_GOLDEN(loss, golden.expected(prefix + "loss"));
    expect_official_gradients(update, prefix);
  }
  EXPECT_GOLDEN(at::stack(per_example), golden.expected("out/" + tag + "/per_example_loss"));
}

// Returns the tags, such as "x" and "v_N4", between out/ and /per_example_loss.
std::vector<std::string> tags_of(const Golden& golden) {
  const std::string end = "/per_example_loss";
  std::vector<std::string> tags;
  for (const std::string& key : golden.keys("out/")) {
    if (key.ends_with(end)) tags.push_back(key.substr(0, key.size() - end.size()));
  }
  return tags;
}

class TrainGolden : public ::testing::TestWithParam<std::string> {};

TEST_P(TrainGolden, LossAndGradientsOfEveryWeightingAreTheOfficialOnes) {
  const Golden network_file("f_unet_" + GetParam());
  Update update("g_train_" + GetParam(), network_file, "params/");
  update.batch.angles.phi_t = update.golden.schedule().phi(update.golden.at("in/u"));
  update.batch.z = diffuse(update.batch.x, update.batch.eps, update.batch.angles.phi_t);
  for (const std::string& tag : tags_of(update.golden)) {
    expect_official_update(update, tag, {.x = update.batch.x, .eps = update.batch.eps});
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, TrainGolden, ::testing::Values("B", "C"),
                         [](const auto& info) { return info.param; });

TEST(DistillGolden, LossAndGradientsOfEveryWeightingAreTheOfficialOnes) {
  const Golden file("g_distill_D");
  Update update("g_distill_D", file, "params/student/");
  UNet teacher(test::unet_options(file));
  test::load_flax(file, "params/teacher/", teacher);

  const auto num_steps = file.settings().at("N_student").get<int64_t>();
  update.batch.angles = step_angles(file.schedule(), file.at("in/i"), num_steps);
  update.batch.z = diffuse(update.batch.x, update.batch.eps, update.batch.angles.phi_t);
  for (const std::string& tag : tags_of(update.golden)) {
    const Output output = test::output_named(tag.substr(0, tag.find('_')));
    const Denoiser denoiser = [&](const Tensor& z, const Tensor& phi, const Condition& condition) {
      return predict(output, teacher.forward(z, phi, condition), z, phi);
    };
    expect_official_update(update, tag, teacher_target(denoiser, update.batch));
  }
}

}  // namespace
}  // namespace halfstep
