#include "halfstep/model/generate_parts.h"

#include <algorithm>

#include "halfstep/diffusion/tiled.h"
#include "halfstep/model/generate.h"

namespace halfstep {

std::vector<int64_t> example_shape(const ModelSpec& spec, const KnownImages& known, size_t count) {
  const std::vector<int64_t> shape = input_shape(spec.network);
  const auto fail = [](const std::string& what) { throw ConfigError("generate", what); };
  if (!spec.condition.is_on()) {
    if (known.defined()) fail("known: expected none, because this model restores nothing");
    return shape;
  }
  const ImageSize size = size_of(spec.condition, known, shape[0]);
  if (known.pixels.size(0) != static_cast<int64_t>(count)) {
    fail("known: expected one image for each of " + std::to_string(count) + " seeds, received " +
         std::to_string(known.pixels.size(0)));
  }
  if (size.height < shape[1] || size.width < shape[2]) {
    fail("known: expected images that are restored to at least " + std::to_string(shape[1]) +
         " x " + std::to_string(shape[2]) + " pixels, as this model was trained, received " +
         std::to_string(size.height) + " x " + std::to_string(size.width));
  }
  return {shape[0], size.height, size.width};
}

Denoiser denoiser_for(Denoiser denoiser, const ModelSpec& spec, const std::vector<int64_t>& shape) {
  const std::vector<int64_t> own = input_shape(spec.network);
  return shape == own ? denoiser : tiled(std::move(denoiser), own[1], own[2]);
}

std::vector<int64_t> batch_shape(std::vector<int64_t> shape, size_t count) {
  shape.insert(shape.begin(), static_cast<int64_t>(count));
  return shape;
}

Tensor normal_of_seeds(const std::vector<int64_t>& shape, std::span<const uint64_t> seeds,
                       Purpose purpose, uint32_t site) {
  Tensor noise = at::empty(batch_shape(shape, seeds.size()), at::TensorOptions().dtype(at::kFloat));
  const auto elements = static_cast<size_t>(noise.numel()) / std::max<size_t>(seeds.size(), 1);
  float* values = noise.data_ptr<float>();
  for (size_t i = 0; i < seeds.size(); ++i) {
    fill_normal({.seed = seeds[i], .purpose = purpose, .site = site},
                {values + i * elements, elements});
  }
  return noise;
}

std::string names_of(const Tensor& finite, std::span<const uint64_t> seeds) {
  constexpr size_t kNamed = 3;
  std::vector<uint64_t> bad;
  for (size_t i = 0; i < seeds.size(); ++i)
    if (!finite[static_cast<int64_t>(i)].item<bool>()) bad.push_back(seeds[i]);
  std::string names = bad.size() == 1 ? "seed " : "seeds ";
  for (size_t i = 0; i < std::min(kNamed, bad.size()); ++i)
    names += (i == 0 ? "" : ", ") + std::to_string(bad[i]);
  return names +
         (bad.size() > kNamed ? " and " + std::to_string(bad.size() - kNamed) + " more" : "");
}

Tensor finite_examples(const Tensor& x) {
  return x.isfinite().reshape({x.size(0), -1}).all(/*dim=*/1);
}

Denoiser FiniteCheck::watch(const Denoiser& denoiser) {
  return [this, &denoiser](const Tensor& z, const Tensor& phi, const Condition& condition) {
    Prediction prediction = denoiser(z, phi, condition);
    finite_.push_back(finite_examples(prediction.x));
    return prediction;
  };
}

void FiniteCheck::require_finite(std::span<const uint64_t> seeds) const {
  const Tensor finite = at::stack(finite_).cpu();  // [calls, B]
  for (int64_t call = 0; call < finite.size(0); ++call) {
    if (finite[call].all().item<bool>()) continue;
    throw NotFiniteError("generate",
                         "prediction of x: expected finite numbers, received inf or nan for " +
                             names_of(finite[call], seeds) + " in network call " +
                             std::to_string(call + 1) + "; the model is damaged or has diverged");
  }
}

}  // namespace halfstep
