// What generate() and draw() are made of: noise of seeds, and predictions that are not finite,
// which are found where they arise and named by their seeds.
#ifndef HALFSTEP_MODEL_GENERATE_PARTS_H_
#define HALFSTEP_MODEL_GENERATE_PARTS_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "halfstep/core/random.h"
#include "halfstep/core/tensor.h"
#include "halfstep/diffusion/denoiser.h"
#include "halfstep/model/model.h"

namespace halfstep {

// Returns the shape of an example that is drawn for what is known of it: the model's, or
// [C, H, W] for larger images. Throws ConfigError if the model needs `known` and it is missing or
// does not fit `count` images of the model, or the other way round.
std::vector<int64_t> example_shape(const ModelSpec& spec, const KnownImages& known, size_t count);

// Returns the shape of `count` examples of a shape: [count, C, ...].
std::vector<int64_t> batch_shape(std::vector<int64_t> shape, size_t count);

// Draws N(0, 1) for examples of a shape, a purpose and a site, such as the number of a step:
// float32 [seeds, C, ...].
Tensor normal_of_seeds(const std::vector<int64_t>& shape, std::span<const uint64_t> seeds,
                       Purpose purpose, uint32_t site);

// Returns the denoiser for examples of a shape, which may be larger than the model's: tiled, then.
Denoiser denoiser_for(Denoiser denoiser, const ModelSpec& spec, const std::vector<int64_t>& shape);

// Returns per example whether all its numbers are finite: bool [N].
Tensor finite_examples(const Tensor& x);

// Names the seeds of the examples that are not finite: "seeds 3, 4, 9 and 61 more".
std::string names_of(const Tensor& finite, std::span<const uint64_t> seeds);

// Looks for predictions of a batch that are not finite. It looks at x before it is clipped:
// clipping makes infinity an ordinary pixel.
class FiniteCheck {
 public:
  // Returns the denoiser with each call looked at. Both `denoiser` and this must outlive it.
  Denoiser watch(const Denoiser& denoiser);

  // Throws NotFiniteError, which names the seeds of the first call in which x was not finite. One
  // copy from the device tells: a check in each call would wait for the device every time.
  void require_finite(std::span<const uint64_t> seeds) const;

 private:
  std::vector<Tensor> finite_;  // of each call: bool [B]
};

}  // namespace halfstep

#endif  // HALFSTEP_MODEL_GENERATE_PARTS_H_
