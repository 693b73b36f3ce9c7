// halfstep evaluate: how far samples are from real images, on the features of a network.
#include <algorithm>
#include <array>
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
#include "cli/image_set.h"
#include "cli/progress.h"
#include "cli/sampling_flags.h"
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

constexpr int64_t kBatch = 250;  // images of files given to the feature network at a time

struct Flags {
  std::vector<fs::path> samples;
  bool samples_test = false;
  fs::path reference;
  bool reference_test = false;
  fs::path features;
  std::vector<std::string> metrics = {"frechet"};
  int64_t num = 50'000;
  uint64_t first_seed = 0;
  std::vector<int64_t> steps;
  std::vector<std::string> samplers;   // none: the model's
  std::vector<std::string> variances;  // none: the model's
  std::vector<std::string> spacings = {"time"};
  SamplingFlags sampling;
  std::optional<fs::path> moments;
  std::optional<fs::path> json_file;
  std::optional<fs::path> html;
  ComputeFlags compute;
};

template <NamedEnum E>
std::vector<E> enums_of(const std::vector<std::string>& words, const char* flag) {
  std::vector<E> values(words.size());
  std::transform(words.begin(), words.end(), values.begin(),
                 [&](const std::string& word) { return enum_of<E>(word, flag); });
  return values;
}

std::vector<double> variances_of(const std::vector<std::string>& words) {
  std::vector<double> values(words.size());
  std::ranges::transform(words, values.begin(), parse_variance);
  return values;
}

// A distillation stands for its teacher and the students that are done.
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
  explicit Command(const Flags& flags)
      : flags_(flags),
        device_(flags.compute.apply()),
        group_(join_processes(device_)),
        samplers_(enums_of<Sampler>(flags.samplers, "--sampler")),
        variances_(variances_of(flags.variances)),
        spacings_(enums_of<Spacing>(flags.spacings, "--spacing")),
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
                 "halfstep: warning: %s: %lld images are few for %lld features; the Frechet "
                 "distance comes out too large (4 images a feature or more are wanted)\n",
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
    const std::vector<int64_t> shape = input_shape(model.spec().network);
    if (!is_image(model.spec().network)) {
      throw ConfigError("--samples", path.string() +
                                         ": expected a model of images, received one of " +
                                         "examples " + io::to_string(shape));
    }
    require_same_shape(shape, path);
    GenerateOptions options = flags_.sampling.options_for(model.spec());
    for (const auto& [sampler, variance] : samplings(sample_options(options, model.spec()))) {
      options.sampler = sampler;
      options.variance = variance;
      for (const Spacing spacing : spacings_) {
        options.spacing = spacing;
        for (const std::optional<int64_t>& steps : steps_for(model.spec())) {
          options.num_steps = steps;
          validate(options, model.spec());
          evaluate_sampling(path, model, options, reference);
        }
      }
    }
  }

  // Each sampler once, the ancestral one with each variance.
  std::vector<std::pair<Sampler, double>> samplings(const SampleOptions& own) const {
    std::vector<std::pair<Sampler, double>> all;
    for (const Sampler sampler : samplers_.empty() ? std::vector{own.sampler} : samplers_) {
      for (const double variance : variances_.empty() ? std::vector{own.variance} : variances_) {
        all.emplace_back(sampler, variance);
        if (sampler != Sampler::ancestral) break;  // has no noise
      }
    }
    return all;
  }

  // A model that was distilled has one N, whatever the others are asked for.
  std::vector<std::optional<int64_t>> steps_for(const ModelSpec& spec) const {
    const bool own = spec.sampling.num_steps != 0 && !flags_.sampling.force_steps();
    if (own || flags_.steps.empty()) return {std::nullopt};
    return {flags_.steps.begin(), flags_.steps.end()};
  }

  void evaluate_sampling(const fs::path& path, const Model& model, const GenerateOptions& options,
                         const FeatureSet& reference) {
    const Clock::time_point begin = Clock::now();
    const int64_t steps = options.num_steps.value_or(model.spec().sampling.num_steps);
    const SampleOptions sampling = sample_options(options, model.spec());
    const int64_t calls =
        network_calls(sampling.sampler, steps) * (options.guidance != 1.0 ? 2 : 1);
    const std::string name = path.string() + " " + std::string(name_of(sampling.sampler)) + " " +
                             std::to_string(steps) + " steps";
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
         .sampler = std::string(name_of(sampling.sampler)),
         .spacing = std::string(name_of(options.spacing)),
         .variance = sampling.sampler == Sampler::ancestral ? std::optional(sampling.variance)
                                                            : std::nullopt,
         .guidance = options.guidance != 1.0 ? std::optional(options.guidance) : std::nullopt,
         .made_for_steps = model.spec().sampling.num_steps,
         .first_seed = flags_.first_seed},
        set, reference, begin);
  }

  // Each is written when it is known: a sweep that is stopped leaves what it has done.
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
    print(result);
    file_.results.push_back(std::move(result));
    if (flags_.json_file) write_evaluation_file(*flags_.json_file, file_);
    if (flags_.html) io::write_file(*flags_.html, evaluation_report(file_.frechet_name, {file_}));
  }

  // "name value" pairs, so that a line says what it is wherever it ends up.
  void print(const EvaluationResult& result) const {
    std::string line = result.samples;
    if (result.sampler) {
      line += "  " + *result.sampler + "/" + *result.spacing + "  steps " +
              std::to_string(*result.steps) + "  calls " + std::to_string(*result.evaluations);
    }
    const auto add = [&](const std::string& name, std::optional<double> value,
                         std::optional<double> deviation = std::nullopt) {
      if (!value) return;
      std::array<char, 64> text{};
      std::snprintf(text.data(), text.size(), "  %s %.5g", name.c_str(), *value);
      line += text.data();
      if (!deviation) return;
      std::snprintf(text.data(), text.size(), " +- %.2g", *deviation);
      line += text.data();
    };
    add("variance", result.variance);
    line += "  n " + std::to_string(result.num);
    add(file_.frechet_name, result.frechet);
    add("KID", result.kid, result.kid_std);
    add("IS", result.inception_score, result.inception_score_std);
    add("precision", result.precision);
    add("recall", result.recall);
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
  }

  const Flags& flags_;
  c10::Device device_;
  const std::unique_ptr<ProcessGroup> group_;
  const std::vector<Sampler> samplers_;
  const std::vector<double> variances_;
  const std::vector<Spacing> spacings_;
  const EvaluationOptions options_;
  const bool keep_features_;
  const std::unique_ptr<FeatureNetwork> network_;
  std::vector<int64_t> shape_;  // of the reference's images; empty for moments
  CountLine progress_;
  EvaluationFile file_;
};

}  // namespace

void add_evaluate(CLI::App& program, Action& action) {
  CLI::App* command =
      program.add_subcommand("evaluate", "measure how far samples are from real images");
  auto flags = std::make_shared<Flags>();
  command->add_option(
      "--samples", flags->samples,
      "what to measure: models, distillation runs (teacher and students), .npz files "
      "of images (arr_0), data sets or folders");
  command->add_flag("--samples-test", flags->samples_test,
                    "of a data set in --samples, its test split");
  command
      ->add_option("--reference", flags->reference,
                   "what to measure against: a data set, an .npz of images (arr_0) or of moments "
                   "(mu, sigma)")
      ->required();
  command->add_flag("--reference-test", flags->reference_test,
                    "of a data set in --reference, its test split");
  command
      ->add_option("--features", flags->features,
                   "feature network: a .safetensors of this program's, or TorchScript (.pt)")
      ->required();
  command
      ->add_option("--metrics", flags->metrics,
                   words_of<Metric>() +
                       ", separated by commas: Frechet distance, kernel distance, "
                       "Inception Score, precision and recall")
      ->delimiter(',')
      ->capture_default_str();
  command->add_option("--num", flags->num, "images of each set of samples, at most")
      ->capture_default_str();
  command->add_option("--first-seed", flags->first_seed, "models: seed of the first image")
      ->capture_default_str();
  command
      ->add_option("--steps", flags->steps,
                   "models: N, one or several separated by commas; a distilled model has its own")
      ->delimiter(',');
  command
      ->add_option(
          "--sampler", flags->samplers,
          words_of<Sampler>() + ", separated by commas (default: the model's, ddim for most)")
      ->delimiter(',');
  command
      ->add_option("--variance", flags->variances,
                   "of the ancestral sampler: small, large or a fraction between them, separated "
                   "by commas (default: the model's, large for most)")
      ->delimiter(',');
  command
      ->add_option("--spacing", flags->spacings,
                   "of the steps: uniform in " + words_of<Spacing>() + ", separated by commas")
      ->delimiter(',')
      ->capture_default_str();
  flags->sampling.add_to(*command);
  command->add_option("--moments", flags->moments,
                      "write the reference's moments (mu, sigma) to this .npz");
  command->add_option("--json", flags->json_file, "write all results here");
  command->add_option("--html", flags->html,
                      "write a page here with the distances over network calls, and a table");
  flags->compute.add_to(*command);
  command->callback([&action, flags] { action = [flags] { return Command(*flags).run(); }; });
}

}  // namespace halfstep::cli
