# cmake --install, and the package that find_package(halfstep) reads. Needs LibTorch at the same place when used;
# TORCH_DIR says another.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/halfstep)

install(TARGETS halfstep_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS halfstep halfstep_core halfstep_io halfstep_data halfstep_checkpoint halfstep_diffusion halfstep_nn halfstep_objective
    halfstep_model halfstep_convert halfstep_parallel halfstep_train halfstep_metrics halfstep_report
  EXPORT halfstepTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY src/halfstep DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(EXPORT halfstepTargets NAMESPACE halfstep:: DESTINATION ${package_dir})
configure_package_config_file(cmake/halfstepConfig.cmake.in
  ${PROJECT_BINARY_DIR}/halfstepConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/halfstepConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/halfstepConfig.cmake ${PROJECT_BINARY_DIR}/halfstepConfigVersion.cmake
  cmake/FindHalfstepTorch.cmake cmake/FindWebP.cmake cmake/FindLibZip.cmake cmake/FindLMDB.cmake
  DESTINATION ${package_dir})
