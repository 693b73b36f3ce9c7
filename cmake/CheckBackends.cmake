# Chooses how several processes communicate, src/halfstep/parallel/{gloo,nccl}_backend.cc, and how a GPU runs graphs,
# src/halfstep/device/cuda_graph.cc. Where one of these files does not work, no_*.cc replaces it: sets HALFSTEP_NO_GLOO,
# HALFSTEP_NO_NCCL and HALFSTEP_NO_CUDA_GRAPH to "" or "no_". halfstep_compile_backends() sets the compile options.
set(HALFSTEP_GLOO AUTO CACHE STRING "Gloo: ON, OFF, or AUTO: on if a trial run works (cross-compiling: off)")
set_property(CACHE HALFSTEP_GLOO PROPERTY STRINGS AUTO ON OFF)

set(HALFSTEP_NO_GLOO no_)
set(HALFSTEP_NO_NCCL no_)
set(HALFSTEP_NO_CUDA_GRAPH no_)
set(_parallel ${CMAKE_CURRENT_SOURCE_DIR}/src/halfstep/parallel)

# LibTorch ships without Gloo's headers, and the distribution's may be of another version. AUTO tests whether the two fit by
# letting two threads sum numbers.
find_path(Gloo_INCLUDE_DIR gloo/config.h)
mark_as_advanced(Gloo_INCLUDE_DIR)
if(HALFSTEP_GLOO STREQUAL "AUTO" AND CMAKE_CROSSCOMPILING)
  message(STATUS "Gloo: not tested when cross-compiling, so one process only; -D HALFSTEP_GLOO=ON enables it")
elseif(NOT HALFSTEP_GLOO)
  message(STATUS "Gloo: off, so one process only")
elseif(NOT Gloo_INCLUDE_DIR)
  if(NOT HALFSTEP_GLOO STREQUAL "AUTO")
    message(FATAL_ERROR "HALFSTEP_GLOO is ${HALFSTEP_GLOO}, but there are no headers (libgloo-dev)")
  endif()
  message(STATUS "Gloo: no headers (libgloo-dev), so one process only")
elseif(NOT HALFSTEP_GLOO STREQUAL "AUTO")
  message(STATUS "Gloo: on, not tested")
  set(HALFSTEP_NO_GLOO "")
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

# The headers of NCCL and CUDA come with the Python packages that LibTorch's CUDA build depends on, and those that these
# include with nvidia-cuda-crt and nvidia-cuda-cccl, or with a toolkit.
if(EXISTS ${HalfstepTorch_LIBRARY_DIR}/libtorch_cuda.so)
  file(GLOB _cuda_includes ${HALFSTEP_TORCH_DIR}/../nvidia/*/include /usr/local/cuda/include)
  set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
  macro(_try_with_cuda _result _source)
    try_compile(${_result}
      SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/src/halfstep/${_source}
      CMAKE_FLAGS "-DINCLUDE_DIRECTORIES=${CMAKE_CURRENT_SOURCE_DIR}/src;${_cuda_includes}"
      COMPILE_DEFINITIONS -DUSE_C10D_NCCL
      LINK_LIBRARIES halfstep::torch
      CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON)
  endmacro()
  _try_with_cuda(HALFSTEP_NCCL_COMPILES parallel/nccl_backend.cc)
  _try_with_cuda(HALFSTEP_CUDA_GRAPH_COMPILES device/cuda_graph.cc)
  unset(CMAKE_TRY_COMPILE_TARGET_TYPE)
  set(_advice "(install the Python packages nvidia-cuda-crt and nvidia-cuda-cccl of CUDA's version, or a toolkit)")
  if(HALFSTEP_CUDA_GRAPH_COMPILES)
    message(STATUS "CUDA graphs: compile")
    set(HALFSTEP_NO_CUDA_GRAPH "")
  else()
    message(STATUS "CUDA graphs: no headers of CUDA ${_advice}, so GPUs run operator by operator")
  endif()
  if(HALFSTEP_NCCL_COMPILES)
    message(STATUS "NCCL: compiles, so processes with GPUs communicate through it")
    set(HALFSTEP_NO_NCCL "")
  else()
    message(STATUS "NCCL: no headers, or not all of CUDA ${_advice}, so processes with GPUs communicate through Gloo")
  endif()
endif()

# -idirafter, because with -isystem /usr/include would hide the compiler's own headers.
function(halfstep_compile_backends)
  if(NOT HALFSTEP_NO_GLOO)
    set_source_files_properties(parallel/gloo_backend.cc PROPERTIES SKIP_PRECOMPILE_HEADERS ON
      COMPILE_DEFINITIONS USE_C10D_GLOO COMPILE_OPTIONS "-idirafter;${Gloo_INCLUDE_DIR}")
  endif()
  if(NOT HALFSTEP_NO_NCCL)
    set_source_files_properties(parallel/nccl_backend.cc PROPERTIES SKIP_PRECOMPILE_HEADERS ON
      COMPILE_DEFINITIONS USE_C10D_NCCL INCLUDE_DIRECTORIES "${_cuda_includes}")
  endif()
  if(NOT HALFSTEP_NO_CUDA_GRAPH)
    set_source_files_properties(device/cuda_graph.cc PROPERTIES SKIP_PRECOMPILE_HEADERS ON
      INCLUDE_DIRECTORIES "${_cuda_includes}")
  endif()
endfunction()
