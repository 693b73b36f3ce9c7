#include "halfstep/serve/served_model.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/diffusion/denoiser.h"
#include "halfstep/model/draw.h"
#include "halfstep/model/generate.h"
#include "halfstep/model/model_file.h"
#include "halfstep/model/tensor_io.h"

namespace halfstep {
namespace {

static_assert(http::kNoClass == kNullLabel);
constexpr double kMostGuidance = 100.0;  // where the model has no limits of its own

http::GuidanceLimits guidance_limits(const ModelSpec& spec) {
  const Sampling& sampling = spec.sampling;
  const double value = guidance_of({}, spec);
  const bool is_input = guidance_channels(spec.network) > 0;
  const bool has_condition =
      (num_classes(spec.network) > 1 || spec.condition.is_on()) && spec.has_null_class;
  if (sampling.fixed_guidance() || (!is_input && !has_condition))
    return {value, value, value, false};
  return {.min = sampling.guidance_min.value_or(0.0),
          .max = sampling.guidance_max.value_or(kMostGuidance),
          .value = value,
          .doubles_calls = !is_input};
}

io::Image image_of(const Tensor& pixels) {  // uint8 [C, H, W]
  const Tensor rows = pixels.permute({1, 2, 0}).contiguous();
  const auto* const first = rows.data_ptr<uint8_t>();
  return {.width = static_cast<int>(pixels.size(2)),
          .height = static_cast<int>(pixels.size(1)),
          .channels = static_cast<int>(pixels.size(0)),
          .pixels = {first, first + rows.numel()}};
}

KnownImages known_images(const std::shared_ptr<const http::Known>& known) {
  if (!known) return {};
  KnownImages images{.pixels = to_tensor(known->image), .mask = {}};
  if (known->mask) images.mask = is_known(to_tensor(*known->mask));
  return images;
}

std::optional<http::InputLimits> input_limits(const ModelSpec& spec) {
  const ImageCondition& condition = spec.condition;
  if (!condition.is_on()) return std::nullopt;
  const std::vector<int64_t> shape = input_shape(spec.network);
  const bool is_small = condition.kind == ImageCondition::Kind::super_resolution;
  const int64_t factor = is_small ? condition.factor : 1;
  const bool is_grey = condition.kind == ImageCondition::Kind::colour;
  return http::InputLimits{.condition = condition.text(),
                           .width = static_cast<int>(shape[2] / factor),
                           .height = static_cast<int>(shape[1] / factor),
                           .channels = is_grey ? 1 : static_cast<int>(shape[0]),
                           .takes_mask = condition.kind == ImageCondition::Kind::inpainting};
}

std::optional<std::vector<http::Drawn>> drawn_by(const Model& model, const GenerateOptions& options,
                                                 const std::optional<int64_t>& fixed_batch,
                                                 std::span<const http::Row> rows,
                                                 const http::OnStep& on_step) {
  std::vector<Draw> examples;
  for (const http::Row& row : rows)
    examples.push_back({.seed = row.seed,
                        .class_label = row.label,
                        .guidance = row.guidance,
                        .known = known_images(row.known)});
  if (fixed_batch) {
    const auto size = static_cast<size_t>(*fixed_batch);
    examples.resize(std::max(size, examples.size()),
                    {.guidance = rows.front().guidance, .known = examples.front().known});
  }
  const std::optional<Samples> samples = draw(model, examples, options, on_step);
  if (!samples) return std::nullopt;
  std::vector<http::Drawn> drawn;
  for (int64_t i = 0; i < static_cast<int64_t>(rows.size()); ++i) {
    drawn.push_back({.image = image_of(samples->images[i])});
    if (samples->labels.defined()) drawn.back().label = samples->labels[i].item<int64_t>();
  }
  return drawn;
}

}  // namespace

http::ServedModel served_model(const std::string& id, const Model& model,
                               const ServingOptions& options) {
  const ModelSpec& spec = model.spec();
  const std::vector<int64_t> shape = input_shape(spec.network);  // [C, H, W]
  if (!is_image(spec.network) || shape.size() != 3 || (shape[0] != 1 && shape[0] != 3))
    throw ConfigError(id, "expected a model of images with 1 or 3 channels, received other data");
  GenerateOptions generate_options;
  if (!spec.sampling.is_distilled()) generate_options.num_steps = options.teacher_steps;
  validate(generate_options, spec);
  return {.id = id,
          .sha256 = sha256_of(model),
          .steps = generate_options.num_steps.value_or(spec.sampling.num_steps),
          .distilled = spec.sampling.is_distilled(),
          .width = static_cast<int>(shape[2]),
          .height = static_cast<int>(shape[1]),
          .channels = static_cast<int>(shape[0]),
          .num_classes = num_classes(spec.network),
          .has_null_class = spec.has_null_class,
          .class_names = spec.class_names,
          .guidance = guidance_limits(spec),
          .input = input_limits(spec),
          .draw = [model, generate_options, fixed_batch = options.fixed_batch](
                      std::span<const http::Row> rows, const http::OnStep& on_step) {
            return drawn_by(model, generate_options, fixed_batch, rows, on_step);
          }};
}

}  // namespace halfstep
