# Writes <out>, a C++ file that holds the Python files of exported diffusers folders as text (interface:
# convert/diffusers_exported.h). A changed file makes CMake configure again.
function(halfstep_embed_exported out)
  foreach(name pipeline sample)
    set(path ${PROJECT_SOURCE_DIR}/src/halfstep/convert/exported/${name}.py)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
    file(READ ${path} ${name})
  endforeach()
  file(CONFIGURE OUTPUT ${out} @ONLY CONTENT [[
// Generated from convert/exported/*.py by cmake/EmbedExported.cmake.
#include "halfstep/convert/diffusers_exported.h"

namespace halfstep {

const std::string_view kPipelinePy = R"py(@pipeline@)py";
const std::string_view kSamplePy = R"py(@sample@)py";

}  // namespace halfstep
]])
endfunction()
