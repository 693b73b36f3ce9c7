// Sampling: one example, usually an image, per seed. The noise and the label of a seed are
// functions of the seed alone: the same bits in every command and for every batch size.
#ifndef HALFSTEP_MODEL_GENERATE_H_
#define HALFSTEP_MODEL_GENERATE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/core/tensor.h"
#include "halfstep/diffusion/sample.h"
#include "halfstep/diffusion/schedule.h"
#include "halfstep/model/model.h"

namespace halfstep {

inline constexpr int64_t kMostBatch = 1'000'000;  // examples per network call, or per update

struct GenerateOptions {
  // Number of sampling steps N, 1 to kMostSteps. None: the N that the model was distilled for; a
  // teacher has none, and needs a number.
  std::optional<int64_t> num_steps = std::nullopt;
  // None: what the model was made for (ModelSpec::sampling).
  std::optional<Sampler> sampler = std::nullopt;
  std::optional<double> variance = std::nullopt;
  Spacing spacing = Spacing::time;  // a distilled model takes no other
  bool clip_x = true;               // clip x to [-1, 1] at every step; images only
  // A class, or kNullLabel for no class. None: class_labels, or labels_of_seeds if the model has
  // classes.
  std::optional<int64_t> class_label = std::nullopt;
  // One for each seed, in their order; empty: none.
  std::vector<int64_t> class_labels = {};
  // The weight w; 1 = off. None: the nearest to 1 that the model allows. A model that neither takes
  // w as an input nor was distilled with it needs a null class, and twice the calls.
  std::optional<double> guidance = std::nullopt;
  int64_t batch = 64;        // examples per network call, 1 to kMostBatch
  bool force_steps = false;  // allow a distilled model another N or spacing
  // What is known of each image, in the order of the seeds, for a model that restores images
  // (ModelSpec::condition), which needs it. The images may be larger than those that the model was
  // trained on: they are then denoised in overlapping tiles (diffusion/tiled.h).
  KnownImages known = {};
};

// Both tensors are on the CPU, in the order of the seeds.
struct Samples {
  // uint8 [N, C, H, W]. For models of other data: x, float32 [N, ...], never clipped.
  Tensor images;
  // int64 [N], kNullLabel for no class. Undefined if the model has no classes.
  Tensor labels;
};

// Draws z at t = 1 from N(0, 1): float32 [seeds, C, ...].
Tensor noise_of_seeds(const ModelSpec& spec, const std::vector<uint64_t>& seeds);

// Draws one label per seed, uniformly over the classes: int64 [seeds].
Tensor labels_of_seeds(const ModelSpec& spec, const std::vector<uint64_t>& seeds);

// Returns the labels that generate() gives to the seeds: options.class_label, options.class_labels
// or labels_of_seeds. Undefined if the model has no classes. Throws ConfigError unless class_labels
// has one label for each seed, or none.
Tensor labels_for(const ModelSpec& spec, const GenerateOptions& options,
                  const std::vector<uint64_t>& seeds);

// Returns what a model that restores images is given of `images`, uint8 [seeds, C, H, W]. Masks are
// functions of the seeds. Throws ConfigError as known_of does.
KnownImages known_for(const ModelSpec& spec, const Tensor& images,
                      const std::vector<uint64_t>& seeds);

// What generate() computes the samples of some seeds from, on the CPU: for other programs that run
// the same model, such as an ONNX file (convert/onnx.h).
struct SampleInputs {
  Tensor noise;   // noise_of_seeds
  Tensor labels;  // labels_for
  // float32 [steps - 1, seeds, C, ...]: the noise of each step but the last, in the order of the
  // steps. Undefined unless the sampler is ancestral and takes more than one step.
  Tensor step_noise;
  // float32 [seeds]: the weight. Undefined unless it is an input of the network.
  Tensor guidance;
  // float32 [seeds, K, H, W]: condition_tensor of options.known. Undefined unless the model
  // restores images.
  Tensor condition;
};

// Draws them. Throws ConfigError as validate does.
SampleInputs inputs_of_seeds(const ModelSpec& spec, const GenerateOptions& options,
                             const std::vector<uint64_t>& seeds);

// Throws ConfigError if the options do not suit the model: N, spacing, class, guidance, batch.
// What is known of the images is checked when they are drawn.
void validate(const GenerateOptions& options, const ModelSpec& spec);

// Returns the guidance weight that generate() uses for this model.
double guidance_of(const GenerateOptions& options, const ModelSpec& spec);

// Throws ConfigError unless the model has this class, or a null class for kNullLabel.
void require_class(const ModelSpec& spec, int64_t label);

// Returns the model as generate() calls it, guided with the weight w but not clipped; none: the
// nearest to 1 that the model allows. The model must outlive it. Throws ConfigError if the model
// does not allow w.
Denoiser guided_denoiser(const Model& model, std::optional<double> w = std::nullopt);

// Returns how many network calls a prediction costs: 2 if generate() guides, otherwise 1.
int64_t calls_per_prediction(const GenerateOptions& options, const ModelSpec& spec);

// Returns the sampler, variance and clipping that generate() uses for this model.
SampleOptions sample_options(const GenerateOptions& options, const ModelSpec& spec);

// A prediction of the model was not finite: inf or nan.
class NotFiniteError : public Error {
 public:
  using Error::Error;
};

// Called after each batch with the number of examples drawn so far.
using GenerateProgress = std::function<void(int64_t done)>;

// Draws one example per seed, starting from noise_of_seeds, or from `noise` [seeds, C, ...] if it
// is defined. Known pixels of inpainting are those of options.known, bit for bit. Computes on the
// model's device; the samples are on the CPU. May be called from several threads. Throws
// ConfigError as validate does, if `noise` has another shape or is not finite, and if
// options.known does not suit the model or the seeds. Throws NotFiniteError, which names the seeds,
// if a prediction of x is not finite.
Samples generate(const Model& model, const std::vector<uint64_t>& seeds,
                 const GenerateOptions& options, const Tensor& noise = {},
                 const GenerateProgress& progress = {});

}  // namespace halfstep

#endif  // HALFSTEP_MODEL_GENERATE_H_
