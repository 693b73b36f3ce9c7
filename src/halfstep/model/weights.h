// Making a network from the contents of a file, in whatever format. The contents are not trusted.
#ifndef HALFSTEP_MODEL_WEIGHTS_H_
#define HALFSTEP_MODEL_WEIGHTS_H_

#include <memory>
#include <string>

#include "halfstep/model/model.h"

namespace halfstep {

// Calls validate, and throws its errors as FormatError that names `where`.
void require_sound(const ModelSpec& spec, const std::string& where);

// Calls make_network. Throws FormatError if the network does not fit into memory.
std::unique_ptr<Network> make_network_of_file(const ModelSpec& spec, const std::string& where,
                                              const NetworkFactory& factory = {});

// Writes `value` to a parameter that a ParameterEditor gave. Throws FormatError, naming `where` and
// the parameter, if `value` is not real, of another shape or not finite.
void set_parameter(const NamedTensor& parameter, const Tensor& value, const std::string& where);

}  // namespace halfstep

#endif  // HALFSTEP_MODEL_WEIGHTS_H_
