// Settings of the updates of a run. Flag, JSON key and field have the same name.
#ifndef HALFSTEP_TRAIN_UPDATE_OPTIONS_H_
#define HALFSTEP_TRAIN_UPDATE_OPTIONS_H_

#include <cstdint>
#include <optional>

#include "halfstep/checkpoint/checkpoint_every.h"
#include "halfstep/core/precision.h"
#include "halfstep/diffusion/weighting.h"
#include "halfstep/nn/network_options.h"

namespace halfstep {

// The settings that training and distillation share.
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
  bool ema_warmup = false;
  Weighting weighting = Weighting::snr_trunc;
  std::optional<double> label_dropout = std::nullopt;
  bool random_flip = true;
  uint64_t seed = 0;
  PrecisionChoice precision = PrecisionChoice::automatic;
  int64_t workers = 1;
  CheckpointEvery checkpoint_every;
  int64_t log_every = 10;
  int64_t snapshot_every = 0;
  int64_t evaluate_every = 0;
  int64_t evaluate_num = 2000;

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
          "Decay of the EMA of the weights, in [0, 1); models are saved with the EMA (0: no EMA)");
    visit("ema_warmup", self.ema_warmup,
          "Let the decay of the EMA rise with the updates, so that early models are not mostly "
          "their start: min(ema_decay, (1 + t) / (10 + t)) in update t");
    visit("weighting", self.weighting, "Loss weighting as a function of SNR");
    visit("label_dropout", self.label_dropout,
          "Probability of replacing a label by the null label, and of leaving out the --condition, "
          "in [0, 1) (default: 0.1 for conditional training and for teachers with a null class, "
          "else 0)");
    visit("random_flip", self.random_flip, "Flip images horizontally with probability 1/2");
    visit("seed", self.seed, "Seed for all random draws");
    visit("precision", self.precision,
          "Precision of the networks; auto: bf16 where the device supports it, but fp32 when "
          "distilling to more than 32 steps");
    visit("workers", self.workers, "Threads that load images");
    visit("checkpoint_every", self.checkpoint_every,
          "Interval between saved states, in updates (500) or time (90s, 10m, 2h)");
    visit("log_every", self.log_every, "Updates between lines of stats.jsonl");
    visit(
        "snapshot_every", self.snapshot_every,
        "Updates between snapshots: the model so far (EMA) and a grid of its samples, all kept in "
        "the run's folder (0: none)");
    visit("evaluate_every", self.evaluate_every,
          "Updates between evaluations: the distance of samples from the data, by the feature "
          "network --features; the best model of a stage is the one that is kept (0: none)");
    visit("evaluate_num", self.evaluate_num, "Samples per evaluation");
  }
};

// Throws ConfigError, which names the field, for an invalid value.
void validate(const UpdateOptions& options);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_UPDATE_OPTIONS_H_
