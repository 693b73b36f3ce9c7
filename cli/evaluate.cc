// halfstep evaluate: measures the distance between samples and real images, in the features of a
// network.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/evaluate_flags.h"
#include "cli/evaluation_line.h"
#include "cli/image_set.h"
#include "cli/progress.h"
#include "cli/sampling_sweep.h"
#include "halfstep/core/error.h"
#include "halfstep/core/version.h"
#include "halfstep/io/file.h"
#include "halfstep/io/hash.h"
#include "halfstep/io/npy.h"
#include "halfstep/metrics/evaluation.h"
#include "halfstep/metrics/shared_features.h"
#include "halfstep/model/model_file.h"
#include "halfstep/report/evaluation_file.h"
#include "halfstep/report/run_report.h"
#include "halfstep/train/run_directory.h"

namespace halfstep::cli {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Split = data::DatasetOptions::Split;

constexpr int64_t kBatch = 250;  // images of files per call of the feature network

// Replaces each distillation run by its teacher and its finished students.
std::vector<fs::path> expanded(const std::vector<fs::path>& samples) {
  std::vector<fs::path> paths;
  for (const fs::path& path : samples) {
    if (!fs::exists(path / "options.json") || model_file_at(path)) {
      paths.push_back(path);
      continue;
    }
    const RunDirectory run(path);
    paths.push_back(run.teacher_path());
    for (const Stage& stage : run.options().stages()) {
      if (model_file_at(run.stage_folder(stage))) paths.push_back(run.stage_folder(stage));
    }
  }
  return paths;
}

Split split_of(bool test) { return test ? Split::test : Split::train; }

class Command {
 public:
  explicit Command(const EvaluateFlags& flags)
      : flags_(flags),
        device_(flags.compute.apply()),
        group_(join_processes(device_)),
        sweep_(flags),
        options_{.metrics = enums_of<Metric>(flags.metrics, "--metrics")},
        keep_features_(std::any_of(options_.metrics.begin(), options_.metrics.end(),
                                   [](Metric metric) { return metric != Metric::frechet; })),
        network_(load_feature_network(flags.features)) {
    if (flags.num < 2)
      throw ConfigError("--num", "expected at least 2, received " + std::to_string(flags.num));
    if (flags.samples.empty() && !flags.moments)
      throw ConfigError("evaluate", "expected --samples or --moments, received neither");
    network_->to(device_);
  }

  int run() {
    const FeatureSet reference = features_of_reference();
    if (flags_.moments && group_->is_root()) {
      write_moments(*flags_.moments, reference.moments());
      std::printf("%s\n", flags_.moments->c_str());
    }
    const bool dataset = !shape_.empty() && flags_.reference.extension() != ".npz";
    file_ = {.version = std::string(version()),
             .features = network_->spec().name,
             .features_sha256 = io::sha256_hex_of_file(flags_.features),
             .num_features = network_->spec().num_features,
             .reference = flags_.reference.string(),
             .split = !dataset                ? ""
                      : flags_.reference_test ? "test"
                                              : "train",
             .num_reference = reference.count(),
             .frechet_name = frechet_name(network_->spec(), flags_.num)};
    for (const fs::path& path : expanded(flags_.samples)) {
      if (model_file_at(path)) {
        evaluate_model(path, reference);
      } else {
        evaluate_images(path, reference);
      }
    }
    group_->leave();
    return kDone;
  }

 private:
  FeatureSet features_of_reference() {
    const fs::path& path = flags_.reference;
    if (path.extension() != ".npz")
      return features_of_reference(open_images(path, split_of(flags_.reference_test)));
    const std::map<std::string, io::Array> arrays = io::read_npz(path);
    if (arrays.contains("mu")) return FeatureSet(moments_of(arrays, path.string()));
    return features_of_reference(images_of_npz(arrays, path.string()));
  }

  FeatureSet features_of_reference(const ImageSet& images) {
    shape_ = images.shape;
    return features_of(images, images.count, flags_.reference.string());
  }

  FeatureSet features_of(const ImageSet& images, int64_t count, const std::string& name) {
    return features_of({.count = count, .batch = kBatch, .read = images.read}, name);
  }

  FeatureSet features_of(const ImageSource& images, const std::string& name) {
    const auto progress = [&](int64_t done) { progress_.show(name, done, images.count); };
    FeatureSet set = halfstep::features_of(*group_, *network_, keep_features_, images, progress);
    if (group_->is_root()) warn_if_few(set, name);
    return set;
  }

  void require_same_shape(const std::vector<int64_t>& shape, const fs::path& path) const {
    if (shape_.empty() || shape == shape_) return;
    throw ConfigError("--samples", path.string() + ": expected images of the reference's shape " +
                                       io::to_string(shape_) + ", received " +
                                       io::to_string(shape));
  }

  void warn_if_few(const FeatureSet& set, const std::string& name) const {
    const int64_t num_features = network_->spec().num_features;
    if (!too_few_images(set.count(), num_features)) return;
    std::fprintf(stderr,
                 "halfstep: warning: %s: %lld images are few for %lld features, which biases the "
                 "Frechet distance upwards; use at least 4 images per feature\n",
                 name.c_str(), static_cast<long long>(set.count()),
                 static_cast<long long>(num_features));
  }

  void evaluate_images(const fs::path& path, const FeatureSet& reference) {
    const Clock::time_point begin = Clock::now();
    const ImageSet images = open_images(path, split_of(flags_.samples_test));
    require_same_shape(images.shape, path);
    const FeatureSet set = features_of(images, std::min(images.count, flags_.num), path.string());
    add_result({.samples = path.string()}, set, reference, begin);
  }

  void evaluate_model(const fs::path& path, const FeatureSet& reference) {
    const Model model = flags_.sampling.load(path, device_);
    const std::vector<int64_t> shape = input_shape(model.spec.network);
    if (!is_image(model.spec.network)) {
      throw ConfigError("--samples", path.string() +
                                         ": expected an image model, received one of float32 " +
                                         io::to_string(shape));
    }
    require_same_shape(shape, path);
    for (const GenerateOptions& options : sweep_.combinations(model.spec))
      evaluate_sampling(path, model, options, reference);
  }

  void evaluate_sampling(const fs::path& path, const Model& model, const GenerateOptions& options,
                         const FeatureSet& reference) {
    const Clock::time_point begin = Clock::now();
    const int64_t steps = options.num_steps.value_or(model.spec.num_steps);
    const int64_t calls =
        network_calls(options.sample.sampler, steps) * (options.guidance != 1.0 ? 2 : 1);
    const std::string name = path.string() + " " + std::string(name_of(options.sample.sampler)) +
                             " " + std::to_string(steps) + " steps";
    const auto draw = [&](int64_t first, int64_t size) {
      std::vector<uint64_t> seeds(static_cast<size_t>(size));
      std::iota(seeds.begin(), seeds.end(), flags_.first_seed + static_cast<uint64_t>(first));
      return generate(model, seeds, options).images;
    };
    const FeatureSet set =
        features_of({.count = flags_.num, .batch = options.batch, .read = draw}, name);
    add_result(
        {.samples = path.string(),
         .steps = steps,
         .evaluations = calls,
         .sampler = std::string(name_of(options.sample.sampler)),
         .spacing = std::string(name_of(options.spacing)),
         .variance = options.sample.sampler == Sampler::ancestral
                         ? std::optional(options.sample.variance)
                         : std::nullopt,
         .guidance = options.guidance != 1.0 ? std::optional(options.guidance) : std::nullopt,
         .made_for_steps = model.spec.num_steps,
         .first_seed = flags_.first_seed},
        set, reference, begin);
  }

  // Prints and writes each result at once, so that a sweep that is stopped keeps what it finished.
  void add_result(EvaluationResult result, const FeatureSet& set, const FeatureSet& reference,
                  Clock::time_point begin) {
    if (!group_->is_root()) return;
    const Evaluation found = evaluate(set, reference, options_);
    result.num = set.count();
    result.frechet = found.frechet;
    if (found.kid) {
      result.kid = found.kid->mean;
      result.kid_std = found.kid->deviation;
    }
    if (found.inception_score) {
      result.inception_score = found.inception_score->mean;
      result.inception_score_std = found.inception_score->deviation;
    }
    if (found.precision_recall) {
      result.precision = found.precision_recall->precision;
      result.recall = found.precision_recall->recall;
    }
    result.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    std::printf("%s\n", evaluation_line(result, file_.frechet_name).c_str());
    std::fflush(stdout);
    file_.results.push_back(std::move(result));
    if (flags_.json_file) write_evaluation_file(*flags_.json_file, file_);
    if (flags_.html) io::write_file(*flags_.html, evaluation_report(file_.frechet_name, {file_}));
  }

  const EvaluateFlags& flags_;
  c10::Device device_;
  const std::unique_ptr<ProcessGroup> group_;
  const SamplingSweep sweep_;
  const EvaluationOptions options_;
  const bool keep_features_;
  const std::unique_ptr<FeatureNetwork> network_;
  std::vector<int64_t> shape_;  // of the reference's images; empty if it is moments
  CountLine progress_;
  EvaluationFile file_;
};

}  // namespace

void add_evaluate(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand(
      "evaluate", "Measure how close samples are to real images: FID and other metrics");
  command->footer(
      "Examples:\n"
      "  halfstep evaluate --samples models/fashion-teacher --steps 4,8,16 \\\n"
      "    --reference fashion-mnist --num 5000 \\\n"
      "    --features models/features/resnet20-fashion.safetensors\n"
      "  halfstep evaluate --samples RUN --num 10000 --reference cifar10.zip \\\n"
      "    --features inception.safetensors --json results.json");
  auto flags = std::make_shared<EvaluateFlags>();
  flags->add_to(*command);
  command->callback([&action, flags] { action = [flags] { return Command(*flags).run(); }; });
}

}  // namespace halfstep::cli
