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

void require_labels_only(const std::string& where, const Condition& condition) {
  if (!condition.guidance.defined() && condition.tensors.empty()) return;
  throw ConfigError(
      where, "condition: expected labels only, received " +
                 (condition.guidance.defined() ? "guidance"
                                               : "the tensor " + condition.tensors.begin()->first) +
                 "; this network has no such input");
}

int64_t count_parameters(const Network& network) {
  int64_t count = 0;
  for (const NamedTensor& parameter : network.parameters()) count += parameter.tensor.numel();
  return count;
}

}  // namespace halfstep
