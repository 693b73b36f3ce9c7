// Every setting of a run. flag = JSON key = field.
#ifndef HALFSTEP_TRAIN_OPTIONS_H_
#define HALFSTEP_TRAIN_OPTIONS_H_

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/checkpoint/checkpoint_every.h"
#include "halfstep/core/enum_names.h"
#include "halfstep/core/precision.h"
#include "halfstep/diffusion/weighting.h"
#include "halfstep/model/model.h"

namespace halfstep {

// How an update is made; training and distillation alike.
struct UpdateOptions {
  int64_t batch = 128;
  int64_t microbatch = 0;
  bool activation_checkpointing = false;
  double lr = 2e-4;
  int64_t warmup = 0;
  bool anneal = false;
  double weight_decay = 0.0;
  double grad_clip = 1.0;
  double ema_decay = 0.0;
  Weighting weighting = Weighting::snr_trunc;
  std::optional<double> label_dropout = std::nullopt;
  bool random_flip = true;
  uint64_t seed = 0;
  PrecisionChoice precision = PrecisionChoice::automatic;
  int64_t workers = 1;
  CheckpointEvery checkpoint_every;
  int64_t log_every = 10;

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("batch", self.batch, "images an update");
    visit("microbatch", self.microbatch,
          "images a network call, gradients summed; 0: the whole batch");
    visit("activation_checkpointing", self.activation_checkpointing,
          "compute blocks again in the backward pass: less memory, more time, the same bits");
    visit("lr", self.lr, "learning rate of Adam");
    visit("warmup", self.warmup, "updates over which the rate rises from 0");
    visit("anneal", self.anneal, "let the rate fall linearly to 0 over each stage");
    visit("weight_decay", self.weight_decay, "decoupled, times the learning rate");
    visit("grad_clip", self.grad_clip, "largest norm of the gradient; 0: no clipping");
    visit("ema_decay", self.ema_decay, "of the average that is saved, in [0, 1); 0: none");
    visit("weighting", self.weighting, "of the loss of x");
    visit("label_dropout", self.label_dropout,
          "share of labels replaced by the null label, in [0, 1); 0.1 for models with a null class "
          "if not given");
    visit("random_flip", self.random_flip, "mirror half of the images");
    visit("seed", self.seed, "of everything random, an unsigned integer");
    visit(
        "precision", self.precision,
        "what the networks compute in; auto: the best of the device, but fp32 in halvings to more "
        "than 32 steps");
    visit("workers", self.workers, "threads that load images");
    visit("checkpoint_every", self.checkpoint_every,
          "updates (\"500\") or time (\"90s\", \"10m\", \"2h\") between saved states");
    visit("log_every", self.log_every, "updates between lines of stats.jsonl");
  }
};
void validate(const UpdateOptions& options);

// Training from data has one stage of this many updates.
struct TrainOptions {
  int64_t updates = 100'000;

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("updates", self.updates, "updates");
  }
};

// What a distillation does where a student ends its stage worse than it began
// (train/divergence.h): say so and go on, or stop with its state saved.
enum class OnDivergence { warn, stop };

template <>
struct EnumNames<OnDivergence> {
  static constexpr auto kNames = std::to_array<std::pair<OnDivergence, std::string_view>>(
      {{OnDivergence::warn, "warn"}, {OnDivergence::stop, "stop"}});
};

// Distillation has a stage for each N = start_steps / 2, start_steps / 4, ..., end_steps.
//
// A network that predicts eps cannot be distilled to few steps: near pure noise
// x = (z - sin(phi) eps) / cos(phi) blows its errors up (paper, section 4). So where student_output
// is another than the teacher's, a conversion comes first: a copy of the teacher is trained from
// data (Algorithm 1) to say student_output in place of what it said, and then is the teacher.
struct Halving {
  int64_t start_steps = 1024;
  int64_t end_steps = 4;
  int64_t updates_per_stage = 50'000;
  std::optional<int64_t> last_updates = std::nullopt;
  std::optional<Output> student_output = std::nullopt;
  std::optional<int64_t> convert_updates = std::nullopt;
  OnDivergence on_divergence = OnDivergence::warn;

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("start_steps", self.start_steps, "steps of the teacher; end_steps times a power of two");
    visit("end_steps", self.end_steps, "steps of the last student");
    visit("updates_per_stage", self.updates_per_stage, "updates a halving");
    visit("last_updates", self.last_updates,
          "updates of the halvings to 2 and 1 steps; twice updates_per_stage if not given");
    visit("student_output", self.student_output,
          "what students predict; the teacher's output if not given");
    visit("convert_updates", self.convert_updates,
          "updates that convert the teacher to student_output; updates_per_stage if not given");
    visit("on_divergence", self.on_divergence,
          "what to do where a stage made its student worse than it began");
  }
};

// One network trained: from data (num_steps 0, continuous time) or from a teacher, each step of it
// towards `substeps` of the teacher's.
struct Stage {
  int64_t num_steps = 0;
  int64_t updates = 0;
  bool conversion = false;  // of a distillation: from data, and from the teacher's weights
  int64_t substeps = 2;

  int64_t teacher_steps() const { return num_steps * substeps; }
  // An update's work, in forward calls of the network.
  double forwards() const;
};

// Throws ConfigError unless start_steps = end_steps * 2^k, k >= 1. The conversion is the first of
// them where there is a student_output.
std::vector<Stage> stages_of(const Halving& halving);

enum class RunKind { train, distill };

template <>
struct EnumNames<RunKind> {
  static constexpr auto kNames = std::to_array<std::pair<RunKind, std::string_view>>(
      {{RunKind::train, "train"}, {RunKind::distill, "distill"}});
};

inline constexpr int64_t kMostThreads = 1024;

struct RunOptions {
  RunKind kind = RunKind::train;
  std::filesystem::path data;
  std::optional<int64_t> image_size =
      std::nullopt;  // resize and crop; none: as the data set has them
  std::optional<int64_t> threads =
      std::nullopt;  // on the CPU: sums depend on their number, so a resumed run takes the same
  UpdateOptions update;
  TrainOptions train;  // kind train
  std::optional<std::string> init_sha256 =
      std::nullopt;  // of the model that training or the student begins as; none: fresh weights, or
                     // the teacher's
  Halving halving;   // kind distill
  ModelSpec model;   // of what is trained; in distillation the teacher's, but for student_output

  // Of a distillation that begins with a student the last alone, with start_steps / end_steps
  // substeps.
  std::vector<Stage> stages() const;
};
void validate(const RunOptions& options);

// The same run with another end, later or earlier, but not before the `done` updates it has made.
// Training at a constant rate only (ConfigError): an annealed rate depends on the end.
RunOptions with_updates(RunOptions options, int64_t updates, int64_t done);

// options.json
nlohmann::json to_json(const RunOptions& options);
RunOptions run_options_from_json(const nlohmann::json& value, std::string_view where);

// A configuration: a built-in name (configs/ in the source) or a JSON file. Its keys: output,
// schedule, network, conditional, train, distill; see docs/formats.md. Throws ConfigError that
// lists the names for one that is neither.
struct Config {
  std::string name;
  ModelSpec model;           // the data set fills in image size, channels and classes
  bool conditional = false;  // use the labels that the data set has
  UpdateOptions train_update;
  TrainOptions train;
  UpdateOptions distill_update = {.lr = 1e-4, .anneal = true};
  Halving halving;
};
Config load_config(const std::string& name_or_path);

// The model of a configuration where no data set decides on size, channels and classes: they are
// what the configuration says. Throws ConfigError where it contradicts itself.
ModelSpec spec_of(const Config& config);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_OPTIONS_H_
