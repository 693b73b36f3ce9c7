#include "halfstep/nn/network.h"

#include <ATen/Functions.h>

#include "halfstep/core/error.h"
#include "halfstep/core/shape.h"

namespace halfstep {

ParameterEditor::~ParameterEditor() {
  try {
    network_.parameters_changed();
  } catch (...) {
    // The network's forward() throws until a rebuild succeeds.
  }
}

void require_inputs(const std::string& where, const Condition& condition, const Tensor& z,
                    const NetworkInputs& inputs) {
  const auto fail = [&](const std::string& expected, const std::string& received) {
    throw ConfigError(where, "condition: expected " + expected + ", received " + received);
  };
  const bool guidance = condition.guidance.defined();
  if (inputs.guidance && !guidance) fail("guidance, the weight of each example", "none");
  const std::string known = std::string("labels") + (inputs.guidance ? ", guidance" : "") +
                            (inputs.condition_ch > 0 ? ", the tensor condition" : "") + " only";
  constexpr const char* kNone = "; this network has no such input";
  if (guidance && !inputs.guidance) fail(known, std::string("guidance") + kNone);
  for (const auto& [name, tensor] : condition.tensors) {
    if (name != kConditionImage || inputs.condition_ch == 0)
      fail(known, "the tensor " + name + kNone);
    std::vector<int64_t> shape = z.sizes().vec();
    shape[1] = inputs.condition_ch;
    require_shape(where, name, tensor, shape);
  }
}

Tensor condition_image(const Condition& condition, const Tensor& z, int64_t condition_ch) {
  if (condition_ch == 0) return {};
  const auto found = condition.tensors.find(kConditionImage);
  if (found != condition.tensors.end()) return found->second.to(z.device());
  std::vector<int64_t> shape = z.sizes().vec();
  shape[1] = condition_ch;
  return at::zeros(shape, z.options().dtype(at::kFloat));
}

int64_t count_parameters(const Network& network) {
  int64_t count = 0;
  for (const NamedTensor& parameter : network.parameters()) count += parameter.tensor.numel();
  return count;
}

}  // namespace halfstep
