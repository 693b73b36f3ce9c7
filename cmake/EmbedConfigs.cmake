# Writes <out>, a C++ file that holds configs/*.json as text (interface: train/builtin_configs.h). A new or changed
# configuration makes CMake configure again.
function(halfstep_embed_configs out)
  file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/configs/*.json)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${files})
  # Sorted without the extension: "cifar10" < "cifar10-small", but "cifar10-small.json" < "cifar10.json".
  list(TRANSFORM files REPLACE "\\.json$" "")
  list(SORT files)
  set(entries "")
  foreach(file IN LISTS files)
    cmake_path(GET file FILENAME name)
    file(READ ${file}.json json)
    string(APPEND entries "  BuiltinConfig{\"${name}\", R\"json(${json})json\"},\n")
  endforeach()
  list(LENGTH files count)
  file(CONFIGURE OUTPUT ${out} @ONLY CONTENT [[
// Generated from configs/*.json by cmake/EmbedConfigs.cmake.
#include "halfstep/train/builtin_configs.h"

#include <array>

namespace halfstep {
namespace {

constexpr std::array<BuiltinConfig, @count@> kConfigs{
@entries@};

}  // namespace

std::span<const BuiltinConfig> builtin_configs() { return kConfigs; }

}  // namespace halfstep
]])
endfunction()
