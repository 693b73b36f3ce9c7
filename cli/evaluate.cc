// halfstep evaluate: measures the distance between samples and real images, in the features of a
// network.
#include "halfstep/metrics/evaluate.h"

#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/evaluate_flags.h"
#include "cli/evaluation_line.h"
#include "cli/load_model.h"
#include "cli/model_path.h"
#include "cli/outputs.h"
#include "cli/progress.h"
#include "halfstep/convert/convert.h"
#include "halfstep/core/error.h"
#include "halfstep/core/version.h"
#include "halfstep/io/file.h"
#include "halfstep/io/hash.h"
#include "halfstep/metrics/sweep.h"
#include "halfstep/model/model_file.h"
#include "halfstep/report/evaluation_file.h"
#include "halfstep/report/run_report.h"
#include "halfstep/train/run_directory.h"

namespace halfstep::cli {
namespace {

namespace fs = std::filesystem;
using Split = data::DatasetOptions::Split;

// Replaces each distillation run by its teacher and its finished students, and each training run by
// its newest model.
std::vector<fs::path> expanded(const std::vector<fs::path>& samples, bool says) {
  std::vector<fs::path> paths;
  for (const fs::path& path : samples) {
    const bool is_run = fs::exists(path / "options.json");
    const RunOptions options = is_run ? RunDirectory(path).options() : RunOptions{};
    if (options.kind != RunKind::distill) {
      paths.push_back(model_path(path, says));
      continue;
    }
    const RunDirectory run(path);
    paths.push_back(run.teacher_path());
    for (const Stage& stage : options.stages()) {
      if (model_file_at(run.stage_folder(stage))) paths.push_back(run.stage_folder(stage));
    }
  }
  return paths;
}

data::DatasetOptions dataset_options(bool test, const EvaluateFlags& flags) {
  return {.split = test ? Split::test : Split::train,
          .image_size = flags.image_size,
          .skip_broken = flags.skip_broken};
}

// An entry of --samples: a model, a data set, or an .npz, which is read when its turn comes.
struct Entry {
  fs::path path;
  bool is_model = false;
  std::optional<metrics::ImageSource> dataset;
};

metrics::Sweep sweep_of(const EvaluateFlags& flags) {
  metrics::Sweep sweep{.steps = flags.steps,
                       .samplers = enums_of<Sampler>(flags.samplers, "--sampler"),
                       .variances = {},
                       .spacings = enums_of<Spacing>(flags.spacings, "--spacing")};
  for (const std::string& text : flags.variances) sweep.variances.push_back(parse_variance(text));
  return sweep;
}

class Command {
 public:
  explicit Command(const EvaluateFlags& flags)
      : flags_(flags),
        device_(flags.compute.apply()),
        group_(join_processes(device_)),
        sweep_(sweep_of(flags)),
        options_{.metrics = enums_of<metrics::Metric>(flags.metrics, "--metrics"),
                 .num = flags.num,
                 .first_seed = flags.first_seed},
        network_(metrics::load_feature_network(flags.features)) {
    metrics::validate(options_);
    if (flags.samples.empty() && !flags.moments)
      throw ConfigError("evaluate", "expected --samples or --moments, received neither");
    flags.sampling.precision();
    if (group_->is_rank_zero()) {
      require_outputs(
          {{"--json", flags.json_file}, {"--html", flags.html}, {"--moments", flags.moments}});
    }
    network_->to(device_);
  }

  int run() {
    const metrics::Reference source =
        metrics::open_reference(flags_.reference, dataset_options(flags_.reference_test, flags_));
    metrics::require_reference(source, *network_, options_);
    if (source.images)
      originals_ = metrics::random_subset(*source.images, options_.num, options_.first_seed);
    const std::vector<Entry> entries = checked_entries(source);
    require_same_flags(metrics::uses_moments(source, *network_, options_));
    const metrics::FeatureSet reference = metrics::reference_features(
        source, *network_, options_, context(flags_.reference.string()));
    warn_if_few(reference.count(), flags_.reference.string());
    if (flags_.moments && group_->is_rank_zero()) {
      metrics::write_moments(*flags_.moments, reference.moments());
      std::printf("%s\n", flags_.moments->c_str());
    }
    begin_file(reference);
    for (const Entry& entry : entries) {
      if (entry.is_model) {
        evaluate_model(entry.path, reference);
      } else {
        evaluate_images(entry, reference);
      }
    }
    group_->leave();
    return kDone;
  }

 private:
  // Opens all samples, so that whatever does not fit is found before the work begins.
  std::vector<Entry> checked_entries(const metrics::Reference& reference) const {
    std::vector<Entry> entries;
    for (const fs::path& path : expanded(flags_.samples, group_->is_rank_zero())) {
      Entry entry{.path = path, .is_model = cli::is_model(path), .dataset = {}};
      if (entry.is_model) {
        require_model(path, reference);
      } else {
        metrics::ImageSource images = open_samples(path);
        metrics::require_samples(path.string(), images.count, images.shape, reference, *network_,
                                 options_);
        metrics::require_classes(path.string(), images.num_classes, *network_, options_);
        if (path.extension() != ".npz") entry.dataset = std::move(images);
      }
      entries.push_back(std::move(entry));
    }
    return entries;
  }

  void require_model(const fs::path& path, const metrics::Reference& reference) const {
    const ModelSpec spec = model_file_at(path) ? load_spec(path) : import_model(path).model.spec();
    metrics::require_images(spec);
    const GenerateOptions sampling = flags_.sampling.options_for(spec);
    metrics::combinations(sweep_, sampling, spec);
    metrics::require_samples(path.string(), options_.num, input_shape(spec.network), reference,
                             *network_, options_);
    if (spec.condition.is_on())
      metrics::require_originals(originals_, input_shape(spec.network), options_.num);
    metrics::require_classes(path.string(), metrics::num_conditioned_classes(spec, sampling),
                             *network_, options_);
    const std::string difference = metrics::difference_of_classes(spec, reference);
    if (difference.empty() || !group_->is_rank_zero()) return;
    std::fprintf(stderr, "halfstep: warning: %s: %s\n", one_line(path.string()).c_str(),
                 one_line(difference).c_str());
  }

  metrics::ImageSource open_samples(const fs::path& path) const {
    return metrics::open_images(path, dataset_options(flags_.samples_test, flags_));
  }

  // Processes that share the work must do the same work. What the images are is compared later.
  void require_same_flags(bool moments) {
    parallel::require_same(*group_, {{"features", io::sha256_hex_of_file(flags_.features)},
                                     {"num", flags_.num},
                                     {"first_seed", flags_.first_seed},
                                     {"metrics", flags_.metrics},
                                     {"samples", expanded(flags_.samples, false).size()},
                                     {"steps", flags_.steps},
                                     {"samplers", flags_.samplers},
                                     {"variances", flags_.variances},
                                     {"spacings", flags_.spacings},
                                     {"moments", moments}});
  }

  // Reports progress under `name`.
  metrics::EvaluationContext context(const std::string& name) {
    return {.group = group_.get(), .progress = [this, name](int64_t done, int64_t count) {
              progress_.show(name, done, count);
            }};
  }

  void begin_file(const metrics::FeatureSet& reference) {
    const bool dataset = flags_.reference.extension() != ".npz";
    file_ = {.version = std::string(version()),
             .features = network_->spec().name,
             .features_sha256 = io::sha256_hex_of_file(flags_.features),
             .num_features = network_->spec().num_features,
             .reference = one_line(flags_.reference.string()),
             .split = !dataset                ? ""
                      : flags_.reference_test ? "test"
                                              : "train",
             .num_reference = reference.count()};
  }

  void warn_if_few(int64_t images, const std::string& name) const {
    const int64_t num_features = network_->spec().num_features;
    if (!group_->is_rank_zero() || !metrics::too_few_images(images, num_features)) return;
    std::fprintf(stderr,
                 "halfstep: warning: %s: %lld images are few for %lld features, which biases the "
                 "Frechet distance upwards; use at least 4 images per feature\n",
                 one_line(name).c_str(), static_cast<long long>(images),
                 static_cast<long long>(num_features));
  }

  void evaluate_images(const Entry& entry, const metrics::FeatureSet& reference) {
    const metrics::ImageSource images = entry.dataset ? *entry.dataset : open_samples(entry.path);
    const bool test = entry.dataset && flags_.samples_test;
    add_result(
        entry.path,
        metrics::evaluate(images, reference, *network_, options_, context(entry.path.string())),
        test ? " (test split)" : "");
  }

  void evaluate_model(const fs::path& path, const metrics::FeatureSet& reference) {
    const Model model = flags_.sampling.load(path, device_);
    const GenerateOptions base = flags_.sampling.options_for(model.spec());
    for (const GenerateOptions& options : metrics::combinations(sweep_, base, model.spec())) {
      const int64_t steps = options.num_steps.value_or(model.spec().sampling.num_steps);
      const std::string name = path.string() + " " +
                               std::string(name_of(sample_options(options, model.spec()).sampler)) +
                               " " + std::to_string(steps) + " steps";
      add_result(path, metrics::evaluate(model, options, reference, *network_, options_,
                                         context(name), originals_));
    }
  }

  // Prints and writes each result at once, so that a sweep that is stopped keeps what it finished.
  void add_result(const fs::path& path, metrics::EvaluationResult result,
                  const std::string& note = "") {
    if (!group_->is_rank_zero()) return;
    warn_if_few(result.num, path.string());
    result.samples = one_line(path.string()) + note;  // JSON is UTF-8, paths need not be
    std::printf("%s\n", evaluation_line(result).c_str());
    std::fflush(stdout);
    file_.results.push_back(std::move(result));
    if (flags_.json_file) report::write_evaluation_file(*flags_.json_file, file_);
    if (flags_.html) io::write_file(*flags_.html, report::evaluation_report("Evaluation", {file_}));
  }

  const EvaluateFlags& flags_;
  c10::Device device_;
  const std::unique_ptr<parallel::ProcessGroup> group_;
  const metrics::Sweep sweep_;
  const metrics::EvaluationOptions options_;
  const std::unique_ptr<metrics::FeatureNetwork> network_;
  std::optional<metrics::ImageSource> originals_;  // of the models that restore images
  CountLine progress_;
  report::EvaluationFile file_;
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
