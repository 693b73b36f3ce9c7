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

#include "halfstep/core/enum_names.h"
#include "halfstep/core/precision.h"
#include "halfstep/diffusion/weighting.h"
#include "halfstep/model/model.h"
#include "halfstep/checkpoint/checkpoint_every.h"

namespace halfstep {

enum class PrecisionChoice { automatic, fp32, bf16 };

template <>
struct EnumNames<PrecisionChoice> {
  static constexpr auto kNames = std::to_array<std::pair<PrecisionChoice, std::string_view>>(
      {{PrecisionChoice::automatic, "auto"},
       {PrecisionChoice::fp32, "fp32"},
       {PrecisionChoice::bf16, "bf16"}});
};

// What a halving changes shrinks with the steps, the rounding of bfloat16 does not. Beyond these
// steps a student distilled in bfloat16 ends more than 3 % worse (docs/performance.md).
inline constexpr int64_t kMostStepsInBf16 = 32;

// What `auto` means for a network on this device, distilled to num_steps (0: not distilled): the
// best precision that it can compute in there, but fp32 for more than kMostStepsInBf16.
Precision resolve(PrecisionChoice choice, const NetworkOptions& network, const at::Device& device,
                  int64_t num_steps = 0);

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
    visit("batch", self.batch, "Images per update, over all processes");
    visit("microbatch", self.microbatch,
          "Images per forward pass; gradients are accumulated (0: the whole batch at once)");
    visit("activation_checkpointing", self.activation_checkpointing,
          "Recompute activations in the backward pass: less memory, more time, same result");
    visit("lr", self.lr, "Peak learning rate of Adam");
    visit("warmup", self.warmup,
          "Updates of linear learning-rate warm-up at the start of each stage");
    visit("anneal", self.anneal, "Decay the learning rate linearly to 0 over each stage");
    visit("weight_decay", self.weight_decay,
          "Decoupled weight decay, multiplied by the learning rate");
    visit("grad_clip", self.grad_clip, "Gradient clipping: largest norm (0: no clipping)");
    visit("ema_decay", self.ema_decay,
          "Decay of the EMA of the weights, in [0, 1); the EMA is what is saved (0: no EMA)");
    visit("weighting", self.weighting, "Loss weighting as a function of SNR");
    visit("label_dropout", self.label_dropout,
          "Probability of replacing a label by the null label, in [0, 1) (default: 0.1 if the "
          "model has a null class, else 0)");
    visit("random_flip", self.random_flip, "Flip images horizontally with probability 1/2");
    visit("seed", self.seed, "Seed for all random draws");
    visit("precision", self.precision,
          "Precision of the networks; auto: bf16 where the device supports it, but fp32 when "
          "distilling to more than 32 steps");
    visit("workers", self.workers, "Threads that load images");
    visit("checkpoint_every", self.checkpoint_every,
          "Interval between saved states, as updates (500) or time (90s, 10m, 2h)");
    visit("log_every", self.log_every, "Updates between lines of stats.jsonl");
  }
};
void validate(const UpdateOptions& options);

// Training from data has one stage of this many updates.
struct TrainOptions {
  int64_t updates = 100'000;

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("updates", self.updates, "Number of updates");
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
    visit("start_steps", self.start_steps,
          "Sampling steps of the teacher: those of the final student times a power of two");
    visit("end_steps", self.end_steps, "Sampling steps of the final student");
    visit("updates_per_stage", self.updates_per_stage,
          "Updates per stage; each stage halves the sampling steps");
    visit("last_updates", self.last_updates,
          "Updates per stage for students of 2 steps and 1 step (default: twice as many)");
    visit("student_output", self.student_output,
          "Prediction type of the students (default: the teacher's); another type adds a stage "
          "that converts the teacher first");
    visit("convert_updates", self.convert_updates,
          "Updates of the stage that converts the teacher (default: as many as per stage)");
    visit("on_divergence", self.on_divergence,
          "What to do if a student is worse at the end of its stage than at the start");
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
