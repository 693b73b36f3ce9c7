// A network from what a file says, whatever the file's format. Files are hostile until proven.
#ifndef HALFSTEP_MODEL_WEIGHTS_H_
#define HALFSTEP_MODEL_WEIGHTS_H_

#include <memory>
#include <string>

#include "halfstep/model/model.h"

namespace halfstep {

// validate, as a FormatError that names `where`.
void require_sound(const ModelSpec& spec, const std::string& where);

// make_network. Throws FormatError where memory does not hold what the file claims.
std::unique_ptr<Network> make_network_of_file(const ModelSpec& spec, const std::string& where);

// Writes `value` to a parameter that a ParameterEditor gave. Throws FormatError, naming `where` and
// the parameter, if `value` is not real, of another shape or not finite.
void set_parameter(const NamedTensor& parameter, const Tensor& value, const std::string& where);

}  // namespace halfstep

#endif  // HALFSTEP_MODEL_WEIGHTS_H_
