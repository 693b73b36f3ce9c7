#ifndef HALFSTEP_CORE_VERSION_H_
#define HALFSTEP_CORE_VERSION_H_

#include <string_view>

namespace halfstep {

// Returns the version of the library, such as "0.1.0".
std::string_view version();

}  // namespace halfstep

#endif  // HALFSTEP_CORE_VERSION_H_
