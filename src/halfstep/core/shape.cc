#include "halfstep/core/shape.h"

#include <sstream>

#include "halfstep/core/error.h"

namespace halfstep {

void require_shape(std::string_view where, std::string_view name, const Tensor& tensor,
                   at::IntArrayRef expected) {
  bool ok = tensor.defined() && tensor.dim() == static_cast<int64_t>(expected.size());
  for (size_t i = 0; ok && i < expected.size(); ++i) {
    ok = expected[i] == -1 || tensor.sizes()[i] == expected[i];
  }
  if (ok) return;
  std::ostringstream message;
  message << name << ": expected shape " << expected << ", received ";
  if (tensor.defined()) {
    message << tensor.sizes();
  } else {
    message << "no tensor";
  }
  throw ConfigError(where, message.str());
}

}  // namespace halfstep
