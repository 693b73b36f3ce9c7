#ifndef HALFSTEP_CORE_VERSION_H_
#define HALFSTEP_CORE_VERSION_H_

#include <string_view>

namespace halfstep {

std::string_view version();  // "0.1.0"

}  // namespace halfstep

#endif  // HALFSTEP_CORE_VERSION_H_
