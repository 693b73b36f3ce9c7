// Shape checks for the arguments of public functions, with messages such as
// "[ddim_step] phi_s: expected shape [8], received [8, 1]".
#ifndef HALFSTEP_CORE_SHAPE_H_
#define HALFSTEP_CORE_SHAPE_H_

#include <string_view>

#include "halfstep/core/tensor.h"

namespace halfstep {

// Throws ConfigError unless `tensor` is defined and has the expected shape. A size of -1 matches
// any size. `where` is the calling function and `name` the argument.
void require_shape(std::string_view where, std::string_view name, const Tensor& tensor,
                   at::IntArrayRef expected);

}  // namespace halfstep

#endif  // HALFSTEP_CORE_SHAPE_H_
