#include "halfstep/core/version.h"

namespace halfstep {

std::string_view version() { return HALFSTEP_VERSION; }  // set by CMake

}  // namespace halfstep
