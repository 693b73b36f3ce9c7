# cmake --install: the program, the libraries, the public headers and a package for find_package(halfstep [COMPONENTS ...]).
# A component is a layer. The package needs LibTorch at the place where it was at build time; TORCH_DIR names another.
include(CMakePackageConfigHelpers)
include(PublicHeaders)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/halfstep)

# The packages that each component needs, taken from what its target links: PNG for PNG::PNG, and so on.
function(halfstep_packages_of target out)
  get_target_property(links ${target} LINK_LIBRARIES)
  if(target STREQUAL "halfstep")
    get_target_property(links ${target} INTERFACE_LINK_LIBRARIES)
  endif()
  set(packages "")
  foreach(link IN LISTS links)
    if(link MATCHES "^halfstep_[a-z]+$")
      halfstep_packages_of(${link} inherited)
      list(APPEND packages ${inherited})
    elseif(link STREQUAL "halfstep::torch")
      list(APPEND packages HalfstepTorch)
    elseif(link MATCHES "^([A-Za-z_0-9]+)::")
      list(APPEND packages ${CMAKE_MATCH_1})
    endif()
  endforeach()
  list(REMOVE_DUPLICATES packages)
  set(${out} ${packages} PARENT_SCOPE)
endfunction()

get_property(layers GLOBAL PROPERTY HALFSTEP_LAYERS)
set(HALFSTEP_PACKAGES "")
foreach(layer IN LISTS layers ITEMS halfstep)
  set(target halfstep_${layer})
  if(layer STREQUAL "halfstep")
    set(target halfstep)
  endif()
  halfstep_packages_of(${target} packages)
  string(APPEND HALFSTEP_PACKAGES "set(_halfstep_packages_${layer} ${packages})\n")
  install(TARGETS ${target} EXPORT halfstepTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
endforeach()

foreach(header IN LISTS HALFSTEP_PUBLIC_HEADERS HALFSTEP_SUPPORT_HEADERS)
  cmake_path(GET header PARENT_PATH layer)
  install(FILES src/halfstep/${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/halfstep/${layer})
endforeach()
install(EXPORT halfstepTargets NAMESPACE halfstep:: DESTINATION ${package_dir})
configure_package_config_file(cmake/halfstepConfig.cmake.in
  ${PROJECT_BINARY_DIR}/halfstepConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/halfstepConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/halfstepConfig.cmake ${PROJECT_BINARY_DIR}/halfstepConfigVersion.cmake
  cmake/FindHalfstepTorch.cmake cmake/FindHttplib.cmake cmake/FindWebP.cmake cmake/FindLibZip.cmake
  DESTINATION ${package_dir})
