#include "halfstep/model/generate_parts.h"

#include <algorithm>

#include "halfstep/model/generate.h"

namespace halfstep {

std::vector<int64_t> batch_shape(const ModelSpec& spec, size_t count) {
  std::vector<int64_t> shape = input_shape(spec.network);
  shape.insert(shape.begin(), static_cast<int64_t>(count));
  return shape;
}

Tensor normal_of_seeds(const ModelSpec& spec, std::span<const uint64_t> seeds, Purpose purpose,
                       uint32_t site) {
  Tensor noise = at::empty(batch_shape(spec, seeds.size()), at::TensorOptions().dtype(at::kFloat));
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
