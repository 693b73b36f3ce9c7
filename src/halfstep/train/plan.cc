#include "halfstep/train/plan.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/core/version.h"
#include "halfstep/io/array.h"
#include "halfstep/io/quote.h"
#include "halfstep/model/spec_json.h"

namespace halfstep {
namespace {

// The default probability of the null label (Ho & Salimans 2021 find 0.1 to 0.2 best).
constexpr double kLabelDropout = 0.1;

void require_square_images(const data::DatasetInfo& info) {
  if (!info.holds_images()) {
    throw ConfigError("plan", "data: expected images, received float32 data in " + info.name);
  }
  if (info.height == info.width) return;
  throw ConfigError("plan", "image size: expected square images, received " +
                                std::to_string(info.height) + " x " + std::to_string(info.width) +
                                " in " + info.name + "; set --image-size");
}

std::string shape_text(const std::vector<int64_t>& shape, int64_t classes) {
  return io::to_string(shape) + (classes > 1 ? " in " + std::to_string(classes) + " classes" : "");
}

Origin origin_of(const RunOptions& options, const data::Dataset& dataset) {
  return {.data = dataset.info().name,
          .data_fingerprint = dataset.fingerprint(),
          .teacher_sha256 = "",
          .init_sha256 = "",
          .updates = 0,
          .batch = options.update.batch,
          .seed = options.update.seed,
          .version = std::string(version())};
}

// Clears student_output if it equals the teacher's output, since no conversion is needed then.
void set_student_output(RunOptions& options) {
  const Output current = options.model.output;
  const Output wanted = options.distill.student_output.value_or(current);
  if (wanted == current) {
    options.distill.student_output.reset();
    return;
  }
  const auto fail = [&](const std::string& expected) {
    throw ConfigError("plan_distillation", "student_output: expected " + expected + ", received " +
                                               std::string(name_of(wanted)));
  };
  if (raw_channels(wanted, 1) != raw_channels(current, 1)) {
    fail("an output with as many channels as the teacher's, " + std::string(name_of(current)));
  }
  if (options.model.sampling.is_distilled()) {
    fail(std::string(name_of(current)) +
         ", the output of this model, which is already distilled; convert its teacher instead");
  }
  options.model.output = wanted;
}

// Throws ConfigError if the names of the classes are known on both sides and differ: classes are
// compared by name, since a label says nothing about which class it means.
void require_class_names(const char* where, const std::vector<std::string>& expected,
                         const std::string& whose, const std::vector<std::string>& received,
                         const std::string& of) {
  if (expected.empty() || received.empty() || expected == received) return;
  const size_t first =
      static_cast<size_t>(std::ranges::mismatch(expected, received).in1 - expected.begin());
  const auto name = [first](const std::vector<std::string>& names) {
    return first < names.size() ? io::quote(names[first]) : "no class";
  };
  throw ConfigError(
      where, "classes: expected those of " + whose + " in the same order, received others in " +
                 of + ": class " + std::to_string(first) + " is " + name(received) + ", not " +
                 name(expected) + "; name and order the classes of the data as " + whose + " does");
}

// Throws ConfigError unless a stage can learn this teacher with the guidance that the settings say.
void require_guidable(const DistillOptions& distill, const ModelSpec& teacher) {
  if (!distill.guidance.is_on()) return;
  const auto fail = [&](const std::string& expected) {
    throw ConfigError("plan_distillation",
                      "guidance: expected " + expected + ", received " + distill.guidance.text());
  };
  if (num_classes(teacher.network) < 2 && !teacher.condition.is_on())
    fail("1 (off), because this teacher has no classes");
  const Sampling& sampling = teacher.sampling;
  if (guidance_channels(teacher.network) > 0 || sampling.fixed_guidance())
    fail("1 (off), because this teacher was distilled with guidance, which is not applied twice");
  if (sampling.guidance_min.value_or(distill.guidance.min) > distill.guidance.min ||
      sampling.guidance_max.value_or(distill.guidance.max) < distill.guidance.max)
    fail("weights that this teacher was made for");
  if (!teacher.has_null_class) {
    fail("1 (off), because this teacher has no null class: it was trained without label dropout");
  }
  if (sampling.is_distilled()) {
    fail("1 (off), because guidance is learned at all times, and this teacher knows those of " +
         std::to_string(sampling.num_steps) + " steps; distil its teacher with guidance");
  }
  if (!distill.guidance.is_fixed() && is_code(teacher.network)) {
    fail(
        "one weight, such as 2, because a network that is code cannot be given the weight as an "
        "input");
  }
}

}  // namespace

void require_data(const RunOptions& options, const data::Dataset& dataset) {
  const data::DatasetInfo& info = dataset.info();
  const std::vector<int64_t> shape = input_shape(options.model.network);
  const int64_t classes = num_classes(options.model.network);
  if (info.shape() == shape && (classes < 2 || info.num_classes == classes)) {
    if (classes > 1)
      require_class_names("run", options.model.class_names, "the model", info.class_names,
                          info.name);
    return;
  }
  throw ConfigError("run", "data: expected examples of shape " + shape_text(shape, classes) +
                               ", received " + shape_text(info.shape(), info.num_classes) +
                               (info.num_classes > 1 ? "" : " without classes") +
                               " in the data set " + info.name);
}

RunOptions plan_training(const Config& config, const data::Dataset& dataset) {
  const data::DatasetInfo& info = dataset.info();
  require_square_images(info);
  RunOptions options;
  options.kind = RunKind::train;
  options.update = config.train_update;
  options.train = config.train;
  options.model = config.model;
  options.model.network = network_for(config, info.height);
  if (config.conditional && info.num_classes < 2) {
    throw ConfigError("plan_training",
                      "conditional: expected a data set with classes, such as one with "
                      "a folder for each, received " +
                          info.name + ", which has none");
  }
  fit(options.model.network,
      {.image = {.channels = info.channels, .size = info.height},
       .output_channels = raw_channels(options.model.output, info.channels),
       .num_classes = config.conditional ? info.num_classes : 0,
       .condition_channels = condition_channels(options.model.condition, info.channels)});
  if (!options.update.label_dropout)
    options.update.label_dropout = config.conditional ? kLabelDropout : 0.0;
  options.model.has_null_class = (config.conditional || options.model.condition.is_on()) &&
                                 *options.update.label_dropout > 0.0;
  if (config.conditional) options.model.class_names = info.class_names;
  options.model.origin = origin_of(options, dataset);
  return options;
}

void start_from(RunOptions& options, const ModelSpec& init, const std::string& sha256) {
  RunOptions changed = options;
  changed.init_sha256 = sha256;
  validate(changed);
  const nlohmann::json wanted = to_json(options.model.network);
  const nlohmann::json found = to_json(init.network);
  const std::string as_wanted =
      options.kind == RunKind::train ? " as in the configuration" : " as the teacher's";
  for (const auto& [key, value] : wanted.items()) {
    const nlohmann::json other = found.value(key, nlohmann::json());
    // Training can give a network a condition and take its classes away (start_from_parameters).
    const bool can_start = options.kind == RunKind::train &&
                           ((key == "condition_ch" && other.is_null()) ||
                            (key == "num_classes" && value == 0 && init.has_null_class));
    if (key == "dropout" || other == value || can_start) continue;
    throw ConfigError(
        "init", key + ": expected " + value.dump() + as_wanted + ", received " + other.dump());
  }
  if (init.output != options.model.output) {
    throw ConfigError("init", "output: expected " + std::string(name_of(options.model.output)) +
                                  as_wanted + ", received " + std::string(name_of(init.output)));
  }
  if (init.condition != options.model.condition && init.condition.is_on()) {
    throw ConfigError("init", "condition: expected " + options.model.condition.text() + as_wanted +
                                  ", received " + init.condition.text());
  }
  if (num_classes(options.model.network) > 1) {
    require_class_names("init", init.class_names, "the model to start from",
                        options.model.class_names, options.model.origin.data);
  }
  if (guidance_channels(init.network) != guidance_channels(options.model.network)) {
    throw ConfigError("init", "guidance_ch: expected " +
                                  std::to_string(guidance_channels(options.model.network)) +
                                  as_wanted + ", received " +
                                  std::to_string(guidance_channels(init.network)));
  }
  options = changed;
}

RunOptions plan_distillation(const DistillOptions& distill, const UpdateOptions& update,
                             const ModelSpec& teacher, const std::string& teacher_sha256,
                             const data::Dataset& dataset) {
  RunOptions options;
  options.kind = RunKind::distill;
  options.update = update;
  options.distill = distill;
  options.update.random_flip = options.update.random_flip && dataset.info().holds_images();
  options.model = teacher;
  require_data(options, dataset);
  require_guidable(distill, teacher);
  if (teacher.sampling.is_distilled() && distill.method == DistillMethod::moment_matching) {
    throw ConfigError(
        "plan_distillation",
        "teacher: expected one that is not distilled, because moment matching calls it "
        "at all times, received a student of " +
            std::to_string(teacher.sampling.num_steps) +
            " steps; give that as --init, and its teacher as --teacher");
  }
  if (teacher.sampling.is_distilled() &&
      options.distill.start_steps != teacher.sampling.num_steps) {
    throw ConfigError("plan_distillation",
                      "start_steps: expected " + std::to_string(teacher.sampling.num_steps) +
                          ", the sampling steps that the teacher was distilled "
                          "for, received " +
                          std::to_string(options.distill.start_steps));
  }
  if (!options.update.label_dropout) {
    options.update.label_dropout = teacher.has_null_class ? kLabelDropout : 0.0;
  }
  set_student_output(options);
  // A student that never sees the null label forgets it.
  options.model.has_null_class = teacher.has_null_class && *options.update.label_dropout > 0.0;
  options.model.origin = origin_of(options, dataset);
  options.model.origin.teacher_sha256 = teacher_sha256;
  return options;
}

}  // namespace halfstep
