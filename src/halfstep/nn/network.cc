#include "halfstep/nn/network.h"

#include "halfstep/core/error.h"

namespace halfstep {

ParameterEditor::~ParameterEditor() {
  try {
    network_.parameters_changed();
  } catch (...) {
    // The network's forward() throws until a rebuild succeeds.
  }
}

void require_inputs(const std::string& where, const Condition& condition, bool takes_guidance) {
  const bool guidance = condition.guidance.defined();
  if (takes_guidance && !guidance) {
    throw ConfigError(where,
                      "condition: expected guidance, the weight of each example, received none");
  }
  if (guidance == takes_guidance && condition.tensors.empty()) return;
  throw ConfigError(
      where, "condition: expected " +
                 std::string(takes_guidance ? "labels and guidance" : "labels") +
                 " only, received " +
                 (guidance != takes_guidance ? "guidance"
                                             : "the tensor " + condition.tensors.begin()->first) +
                 "; this network has no such input");
}

int64_t count_parameters(const Network& network) {
  int64_t count = 0;
  for (const NamedTensor& parameter : network.parameters()) count += parameter.tensor.numel();
  return count;
}

}  // namespace halfstep
