// The number format of a network's activations and matrix products. Parameters, normalisation
// statistics, the loss and the optimizer are float32 in either case.
#ifndef HALFSTEP_CORE_PRECISION_H_
#define HALFSTEP_CORE_PRECISION_H_

#include "halfstep/core/enum_names.h"
#include "halfstep/core/tensor.h"

namespace halfstep {

enum class Precision { fp32, bf16 };

template <>
struct EnumNames<Precision> {
  static constexpr auto kNames = std::to_array<std::pair<Precision, std::string_view>>(
      {{Precision::fp32, "fp32"}, {Precision::bf16, "bf16"}});
};

// Returns the tensor element type of a precision.
inline at::ScalarType scalar_type_of(Precision precision) {
  return precision == Precision::bf16 ? at::kBFloat16 : at::kFloat;
}

// What a user asks for. `automatic` means the best precision for the network and the device; see
// resolve() in nn/network_options.h.
enum class PrecisionChoice { automatic, fp32, bf16 };

template <>
struct EnumNames<PrecisionChoice> {
  static constexpr auto kNames = std::to_array<std::pair<PrecisionChoice, std::string_view>>(
      {{PrecisionChoice::automatic, "auto"},
       {PrecisionChoice::fp32, "fp32"},
       {PrecisionChoice::bf16, "bf16"}});
};

// Returns bf16 if `device` computes faster in it (CUDA, or a CPU with AVX-512 BF16), otherwise
// fp32.
Precision best_precision(const at::Device& device);

}  // namespace halfstep

#endif  // HALFSTEP_CORE_PRECISION_H_
