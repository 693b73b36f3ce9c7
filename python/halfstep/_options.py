"""The options of runs. Written by write_options.py; do not edit."""

from __future__ import annotations

from typing import Literal, TypedDict


class TrainOptions(TypedDict, total=False):
    """Options of `train`."""

    updates: int
    """Number of updates (optimizer steps)."""

    batch: int
    """Images per update, over all processes."""

    microbatch: int
    """Images per forward pass; gradients are accumulated (0: the whole batch at once)."""

    activation_checkpointing: bool
    """Recompute activations in the backward pass: less memory, more time, same result."""

    lr: float
    """Peak learning rate of Adam."""

    warmup: int
    """Updates of linear learning-rate warm-up at the start of each stage."""

    anneal: bool
    """Decay the learning rate linearly to 0 over each stage."""

    weight_decay: float
    """Decoupled weight decay, multiplied by the learning rate."""

    grad_clip: float
    """Gradient clipping: largest norm (0: no clipping)."""

    ema_decay: float
    """Decay of the EMA of the weights, in [0, 1); models are saved with the EMA (0: no EMA)."""

    ema_warmup: bool
    """Let the decay of the EMA rise with the updates, so that early models are not mostly their
    start: min(ema_decay, (1 + t) / (10 + t)) in update t.
    """

    weighting: Literal["constant", "snr", "snr_trunc", "snr_plus_one"]
    """Loss weighting as a function of SNR."""

    label_dropout: float
    """Probability of replacing a label by the null label, and of leaving out the --condition, in
    [0, 1) (default: 0.1 for conditional training and for teachers with a null class, else 0).
    """

    random_flip: bool
    """Flip images horizontally with probability 1/2."""

    seed: int
    """Seed for all random draws."""

    precision: Literal["auto", "fp32", "bf16"]
    """Precision of the networks; auto: bf16 where the device supports it, but fp32 when
    distilling to more than 32 steps.
    """

    workers: int
    """Threads that load images."""

    checkpoint_every: float | str
    """Interval between saved states, in updates (500) or time (90s, 10m, 2h)."""

    log_every: int
    """Updates between lines of stats.jsonl."""

    snapshot_every: int
    """Updates between snapshots: the model so far (EMA) and a grid of its samples, all kept in
    the run's folder (0: none).
    """

    evaluate_every: int
    """Updates between evaluations: the distance of samples from the data, by the feature network
    --features; the best model of a stage is the one that is kept (0: none).
    """

    evaluate_num: int
    """Samples per evaluation."""


class DistillOptions(TypedDict, total=False):
    """Options of `distill`."""

    method: Literal["halving", "direct", "moment-matching"]
    """halving: halve the sampling steps stage by stage; direct: train one student that takes
    several of the teacher's steps at once; moment-matching: train one student whose samples
    look to the teacher like the data (default: chosen for the number of steps: halving, and
    moment matching after it for 8 steps or fewer).
    """

    start_steps: int
    """Sampling steps of the teacher: --end-steps times a power of two, or times any integer with
    --method direct; for a distilled teacher, the steps it was distilled to.
    """

    end_steps: int
    """Sampling steps of the final student."""

    updates_per_stage: int
    """Updates per stage (a halving, or the whole of --method direct)."""

    last_updates: int
    """Updates per stage for students of 2 steps and 1 step (default: twice --updates-per-stage)."""

    student_output: Literal["x", "eps", "v", "x_and_eps"]
    """Prediction type of the students (default: the teacher's); another type adds a stage that
    converts the teacher first.
    """

    convert_updates: int
    """Updates of the stage that converts the teacher (default: --updates-per-stage)."""

    guidance: float | str
    """Classifier-free guidance of the teacher, which the students learn to need only one call
    for: a weight, which becomes part of the students, or a range, of which the students take
    a weight as an input; adds a stage that comes before the others (1: off).
    """

    guide_updates: int
    """Updates of the stage that learns the guided teacher (default: --updates-per-stage)."""

    match_updates: int
    """Updates of moment matching: after the stages of --method halving or direct (default:
    none), or of the method itself (default: twice --updates-per-stage).
    """

    match_lr: float
    """Peak learning rate of moment matching."""

    on_divergence: Literal["warn", "stop"]
    """What to do if a student's held-out loss is higher at the end of its stage than at the
    start.
    """

    batch: int
    """Images per update, over all processes."""

    microbatch: int
    """Images per forward pass; gradients are accumulated (0: the whole batch at once)."""

    activation_checkpointing: bool
    """Recompute activations in the backward pass: less memory, more time, same result."""

    lr: float
    """Peak learning rate of Adam."""

    warmup: int
    """Updates of linear learning-rate warm-up at the start of each stage."""

    anneal: bool
    """Decay the learning rate linearly to 0 over each stage."""

    weight_decay: float
    """Decoupled weight decay, multiplied by the learning rate."""

    grad_clip: float
    """Gradient clipping: largest norm (0: no clipping)."""

    ema_decay: float
    """Decay of the EMA of the weights, in [0, 1); models are saved with the EMA (0: no EMA)."""

    ema_warmup: bool
    """Let the decay of the EMA rise with the updates, so that early models are not mostly their
    start: min(ema_decay, (1 + t) / (10 + t)) in update t.
    """

    weighting: Literal["constant", "snr", "snr_trunc", "snr_plus_one"]
    """Loss weighting as a function of SNR."""

    label_dropout: float
    """Probability of replacing a label by the null label, and of leaving out the --condition, in
    [0, 1) (default: 0.1 for conditional training and for teachers with a null class, else 0).
    """

    random_flip: bool
    """Flip images horizontally with probability 1/2."""

    seed: int
    """Seed for all random draws."""

    precision: Literal["auto", "fp32", "bf16"]
    """Precision of the networks; auto: bf16 where the device supports it, but fp32 when
    distilling to more than 32 steps.
    """

    workers: int
    """Threads that load images."""

    checkpoint_every: float | str
    """Interval between saved states, in updates (500) or time (90s, 10m, 2h)."""

    log_every: int
    """Updates between lines of stats.jsonl."""

    snapshot_every: int
    """Updates between snapshots: the model so far (EMA) and a grid of its samples, all kept in
    the run's folder (0: none).
    """

    evaluate_every: int
    """Updates between evaluations: the distance of samples from the data, by the feature network
    --features; the best model of a stage is the one that is kept (0: none).
    """

    evaluate_num: int
    """Samples per evaluation."""
