# Writes <out>, a C++ file that holds the page of the HTTP server as text (interface: http/page.h). A changed page makes CMake
# configure again.
function(halfstep_embed_page out)
  set(path ${PROJECT_SOURCE_DIR}/src/halfstep/http/page.html)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
  file(READ ${path} page)
  file(CONFIGURE OUTPUT ${out} @ONLY CONTENT [[
// Generated from http/page.html by cmake/EmbedPage.cmake.
#include "halfstep/http/page.h"

namespace halfstep::http {

const std::string_view kPage = R"html(@page@)html";

}  // namespace halfstep::http
]])
endfunction()
