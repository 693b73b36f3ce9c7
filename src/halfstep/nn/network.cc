#include "halfstep/nn/network.h"

namespace halfstep {

ParameterEditor::~ParameterEditor() {
  try {
    network_.parameters_changed();
  } catch (...) {
    // The network's forward() throws until a rebuild succeeds.
  }
}

int64_t count_parameters(const Network& network) {
  int64_t count = 0;
  for (const NamedTensor& parameter : network.parameters()) count += parameter.tensor.numel();
  return count;
}

}  // namespace halfstep
