// The functions through which samplers and objectives call a network. Tests pass closed forms.
#ifndef HALFSTEP_DIFFUSION_DENOISER_H_
#define HALFSTEP_DIFFUSION_DENOISER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "halfstep/core/tensor.h"
#include "halfstep/diffusion/parameterization.h"

namespace halfstep {

// The label of an example without a class: the null label of classifier-free guidance.
inline constexpr int64_t kNullLabel = -1;

// The name, in Condition::tensors, of the image that a network is conditioned on
// (conditioning/image_condition.h).
inline constexpr const char* kConditionImage = "condition";

// What a batch of B examples is conditioned on: data only. A network refuses inputs that it does
// not take.
struct Condition {
  // int64 [B], in [0, num_classes) or kNullLabel. Undefined: the null label for every example.
  Tensor labels;
  // float32 [B], the guidance weight w of each example (guidance.h) where it is an input of the
  // network. Undefined: none.
  Tensor guidance;
  // Further inputs by name, each with B as its first size.
  std::map<std::string, Tensor> tensors;
};

// Maps z [B, C, ...] and phi float64 [B] to x and eps, which are not clipped.
using Denoiser =
    std::function<Prediction(const Tensor& z, const Tensor& phi, const Condition& condition)>;

// Maps z [B, C, ...] and phi float64 [B] to the raw output of a network, [B, C or 2 C, ...].
using RawOutput =
    std::function<Tensor(const Tensor& z, const Tensor& phi, const Condition& condition)>;

// Returns the denoiser that interprets `raw` as `output`: predict(output, raw(...), z, phi).
Denoiser make_denoiser(RawOutput raw, Output output);

}  // namespace halfstep

#endif  // HALFSTEP_DIFFUSION_DENOISER_H_
