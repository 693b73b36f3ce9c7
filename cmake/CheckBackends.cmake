# What processes talk over: src/halfstep/parallel/{gloo,nccl}_backend.cc, where they work, or their stand-ins no_*.cc.
# Sets HALFSTEP_NO_GLOO and HALFSTEP_NO_NCCL to "" or "no_"; halfstep_compile_backends() sets how the files are compiled.

set(HALFSTEP_NO_GLOO no_)
set(HALFSTEP_NO_NCCL no_)
set(_parallel ${CMAKE_CURRENT_SOURCE_DIR}/src/halfstep/parallel)

# LibTorch comes without Gloo's headers, and Debian's are of another version: whether the two fit together is seen by
# letting two threads add up numbers.
find_path(Gloo_INCLUDE_DIR gloo/config.h)
mark_as_advanced(Gloo_INCLUDE_DIR)
if(NOT Gloo_INCLUDE_DIR)
  message(STATUS "Gloo: no headers (libgloo-dev), so one process only")
else()
  if(NOT "${HALFSTEP_GLOO_CHECKED}" STREQUAL "${HALFSTEP_TORCH_DIR} ${Gloo_INCLUDE_DIR}")
    try_run(_ran _compiled
      SOURCES ${CMAKE_CURRENT_LIST_DIR}/gloo_check.cc ${_parallel}/gloo_backend.cc
      NO_CACHE
      CMAKE_FLAGS "-DINCLUDE_DIRECTORIES=${CMAKE_CURRENT_SOURCE_DIR}/src;${Gloo_INCLUDE_DIR}"
      COMPILE_DEFINITIONS -DUSE_C10D_GLOO
      LINK_LIBRARIES halfstep::torch
      CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON
      COMPILE_OUTPUT_VARIABLE _output RUN_OUTPUT_VARIABLE _said)
    set(HALFSTEP_GLOO_WORKS FALSE)
    if(_compiled AND _ran EQUAL 0)
      set(HALFSTEP_GLOO_WORKS TRUE)
    endif()
    file(WRITE ${PROJECT_BINARY_DIR}/gloo_check.txt "compiled: ${_compiled}\n${_output}\nran: ${_ran}\n${_said}\n")
    set(HALFSTEP_GLOO_WORKS ${HALFSTEP_GLOO_WORKS} CACHE INTERNAL "")
    set(HALFSTEP_GLOO_CHECKED "${HALFSTEP_TORCH_DIR} ${Gloo_INCLUDE_DIR}" CACHE INTERNAL "")
  endif()
  if(HALFSTEP_GLOO_WORKS)
    message(STATUS "Gloo: works, so several processes can share a run")
    set(HALFSTEP_NO_GLOO "")
  else()
    message(STATUS "Gloo: the headers in ${Gloo_INCLUDE_DIR} do not work with this LibTorch "
      "(${PROJECT_BINARY_DIR}/gloo_check.txt), so one process only")
  endif()
endif()

# The headers of NCCL and CUDA come with the Python packages that LibTorch's CUDA build brings, or from a toolkit.
if(EXISTS ${HalfstepTorch_LIBRARY_DIR}/libtorch_cuda.so)
  file(GLOB _cuda_includes ${HALFSTEP_TORCH_DIR}/../nvidia/*/include /usr/local/cuda/include)
  set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
  try_compile(HALFSTEP_NCCL_COMPILES
    SOURCES ${_parallel}/nccl_backend.cc
    CMAKE_FLAGS "-DINCLUDE_DIRECTORIES=${CMAKE_CURRENT_SOURCE_DIR}/src;${_cuda_includes}"
    COMPILE_DEFINITIONS -DUSE_C10D_NCCL
    LINK_LIBRARIES halfstep::torch
    CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON)
  unset(CMAKE_TRY_COMPILE_TARGET_TYPE)
  if(HALFSTEP_NCCL_COMPILES)
    message(STATUS "NCCL: compiles, so several processes with GPUs talk through it")
    set(HALFSTEP_NO_NCCL "")
  else()
    message(STATUS "NCCL: its headers, or CUDA's, are not there: several processes with GPUs talk through Gloo")
  endif()
endif()

# (-idirafter: CMake would make -isystem of /usr/include, which hides the compiler's own headers.)
function(halfstep_compile_backends)
  if(NOT HALFSTEP_NO_GLOO)
    set_source_files_properties(parallel/gloo_backend.cc PROPERTIES SKIP_PRECOMPILE_HEADERS ON
      COMPILE_DEFINITIONS USE_C10D_GLOO COMPILE_OPTIONS "-idirafter;${Gloo_INCLUDE_DIR}")
  endif()
  if(NOT HALFSTEP_NO_NCCL)
    set_source_files_properties(parallel/nccl_backend.cc PROPERTIES SKIP_PRECOMPILE_HEADERS ON
      COMPILE_DEFINITIONS USE_C10D_NCCL INCLUDE_DIRECTORIES "${_cuda_includes}")
  endif()
endfunction()
