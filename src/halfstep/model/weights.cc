#include "halfstep/model/weights.h"

#include <ATen/core/grad_mode.h>
#include <c10/util/Exception.h>

#include "halfstep/core/error.h"
#include "halfstep/io/array.h"

namespace halfstep {

void require_sound(const ModelSpec& spec, const std::string& where) {
  try {
    validate(spec);
  } catch (const ConfigError& error) {
    throw FormatError(where, error.text());
  }
}

std::unique_ptr<Network> make_network_of_file(const ModelSpec& spec, const std::string& where,
                                              const NetworkFactory& factory) {
  if (is_external(spec.network)) return make_network(spec, factory);
  try {
    return make_network(spec);
  } catch (const c10::Error& error) {
    const std::string reason = error.what_without_backtrace();
    throw FormatError(where, "expected a network that fits into memory, received: " +
                                 reason.substr(0, reason.find('\n')));
  }
}

void set_parameter(const NamedTensor& parameter, const Tensor& value, const std::string& where) {
  const at::NoGradGuard no_grad;
  const auto expected = parameter.tensor.sizes();
  if (value.sizes() != expected || !value.is_floating_point()) {
    throw FormatError(where, parameter.name + ": expected real numbers of shape " +
                                 io::to_string(expected.vec()) + ", received " +
                                 at::toString(value.scalar_type()) + " " +
                                 io::to_string(value.sizes().vec()));
  }
  if (!value.isfinite().all().item<bool>())
    throw FormatError(where, parameter.name + ": expected finite numbers, received inf or nan");
  Tensor(parameter.tensor).copy_(value);
}

}  // namespace halfstep
