// Distils a teacher from 8 sampling steps to 4, resumes the finished run, evaluates the student and
// writes a picture of its samples. It makes only a few updates, so that it takes a minute; a real
// run makes thousands.
//
//   distill_in_cpp TEACHER DATA FEATURES
//   distill_in_cpp models/fashion-teacher /usr/share/datasets/fashion-mnist \
//     models/features/resnet20-fashion.safetensors
#include <cstdio>
#include <string_view>

#include "halfstep/core/error.h"
#include "halfstep/io/image.h"
#include "halfstep/metrics/evaluate.h"
#include "halfstep/report/image_grid.h"
#include "halfstep/train/distill.h"

namespace {

using namespace halfstep;

class Printer final : public TrainObserver {
 public:
  void on_message(std::string_view message) override {
    std::printf("%.*s\n", static_cast<int>(message.size()), message.data());
  }
};

void run(const char* teacher, const char* data, const char* features) {
  Printer printer;
  const RunResult run =
      distill(Model::load(teacher), open_training_data(data),
              {.start_steps = 8, .end_steps = 4, .updates_per_stage = 5}, {.batch = 32, .lr = 1e-4},
              {.outdir = "runs", .observer = &printer});
  resume(run.folder);  // an interrupted run would continue; this one has finished
  const Model student = run.model();

  const auto network = metrics::load_feature_network(features);
  const metrics::EvaluationOptions options{.num = 100};
  const metrics::FeatureSet reference = metrics::reference_features(
      metrics::open_reference(data, {.split = data::DatasetOptions::Split::test}), *network,
      options);
  const auto result = metrics::evaluate(student, {}, reference, *network, options);
  std::printf("Frechet distance %.3f in %lld steps\n", *result.frechet,
              static_cast<long long>(*result.steps));

  io::write_png("samples.png", report::image_grid(generate(student, {0, 1, 2, 3}, {}).images));
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 4) return 2;
  run(argv[1], argv[2], argv[3]);
  return 0;
} catch (const halfstep::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
