# Finds LibTorch, CPU or CUDA build. Unlike LibTorch's own package, it needs no CUDA toolkit.
#
# Search order:
#   TORCH_DIR      a CMake or environment variable: an unpacked libtorch, or the torch folder of a Python environment
#   python3        the torch of the active Python (located, not imported), or of the Python for which pip builds
#   .venv          a local environment in the source folder (created by quickstart.sh and test.sh)
#   /usr           the distribution's
# A TORCH_DIR that does not fit is an error; other candidates that do not fit are skipped.
#
# Defines the target halfstep::torch, HalfstepTorch_VERSION and HalfstepTorch_LIBRARY_DIR. As a script
# (cmake -P FindHalfstepTorch.cmake) it only prints its choice.

set(_wanted "LibTorch 2.7 or newer with the new C++ ABI")

# Sets <out> to the reason why the LibTorch in <root> does not fit, or to "". Sets _version, _include and _lib.
function(_halfstep_check_torch root out)
  set(_include ${root}/include)
  file(GLOB _lib ${root}/lib/libc10.so ${root}/lib/*-linux-gnu/libc10.so)
  if(_lib)
    list(GET _lib 0 _lib)
    cmake_path(GET _lib PARENT_PATH _lib)
  endif()
  set(problem "")
  set(_version "")
  foreach(header torch/headeronly/version.h torch/csrc/api/include/torch/version.h)
    if(NOT _version AND EXISTS ${_include}/${header})
      file(STRINGS ${_include}/${header} lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) +[0-9]+")
      string(REGEX REPLACE "[^0-9;]" "" lines "${lines}")
      string(REPLACE ";" "." _version "${lines}")
    endif()
  endforeach()
  if(NOT _lib OR NOT _version)
    set(problem "no LibTorch with headers and libraries")
  elseif(_version VERSION_LESS 2.7)
    set(problem "LibTorch ${_version}")
  else()
    # The mangled name of a function that takes a std::string shows the ABI.
    file(STRINGS ${_lib}/libc10.so new_abi REGEX "torchCheckFail.*__cxx11" LIMIT_COUNT 1)
    if(NOT new_abi)
      set(problem "LibTorch ${_version} with the old C++ ABI")
    endif()
  endif()
  set(${out} "${problem}" PARENT_SCOPE)
  set(_version "${_version}" PARENT_SCOPE)
  set(_include "${_include}" PARENT_SCOPE)
  set(_lib "${_lib}" PARENT_SCOPE)
endfunction()

if(NOT TORCH_DIR AND DEFINED ENV{TORCH_DIR})
  set(TORCH_DIR $ENV{TORCH_DIR})
endif()
if(TORCH_DIR)
  set(_candidates ${TORCH_DIR})
else()
  set(_candidates "")
  # An activated environment comes first: some version managers put their own Python before it in PATH.
  find_program(HALFSTEP_PYTHON NAMES python3 python HINTS $ENV{VIRTUAL_ENV}/bin $ENV{CONDA_PREFIX}/bin)
  mark_as_advanced(HALFSTEP_PYTHON)
  if(HALFSTEP_PYTHON)
    # pip's build isolation hides the packages of the environment through PYTHONPATH, which -E ignores.
    foreach(_flag IN ITEMS "" -E)
      execute_process(OUTPUT_VARIABLE _found OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET
        COMMAND ${HALFSTEP_PYTHON} ${_flag} -c "import importlib.util as u, os
s = u.find_spec('torch')
print(os.path.dirname(s.origin) if s and s.origin else '')")
      list(APPEND _candidates ${_found})
    endforeach()
    list(REMOVE_DUPLICATES _candidates)
  endif()
  file(GLOB _found ${CMAKE_CURRENT_LIST_DIR}/../.venv/lib/python3*/site-packages/torch)
  list(APPEND _candidates ${_found})
  if(EXISTS /usr/include/torch)
    list(APPEND _candidates /usr)
  endif()
endif()

set(_rejected "")
set(HALFSTEP_TORCH_DIR "")
foreach(_root IN LISTS _candidates)
  _halfstep_check_torch(${_root} _problem)
  if(NOT _problem)
    cmake_path(ABSOLUTE_PATH _root NORMALIZE OUTPUT_VARIABLE HALFSTEP_TORCH_DIR)
    cmake_path(NORMAL_PATH _lib)
    cmake_path(NORMAL_PATH _include)
    break()
  endif()
  list(APPEND _rejected "${_problem} in ${_root}")
endforeach()

if(NOT HALFSTEP_TORCH_DIR)
  if(NOT _rejected)
    set(_rejected "none (set TORCH_DIR, or pip install torch)")
  endif()
  list(JOIN _rejected ", " _rejected)
  set(_message " ${_wanted} is required; found: ${_rejected}")
  # The leading space keeps CMake from wrapping the line.
  if(CMAKE_SCRIPT_MODE_FILE OR HalfstepTorch_FIND_REQUIRED)
    message(FATAL_ERROR "${_message}")
  endif()
  set(HalfstepTorch_FOUND FALSE)
  return()
endif()

if(EXISTS ${_lib}/libtorch_cuda.so)
  set(_kind CUDA)
else()
  set(_kind CPU)
endif()
message(STATUS "LibTorch ${_version} (${_kind}) in ${HALFSTEP_TORCH_DIR}")
set(HalfstepTorch_FOUND TRUE)
set(HalfstepTorch_VERSION ${_version})
set(HalfstepTorch_LIBRARY_DIR ${_lib})
if(CMAKE_SCRIPT_MODE_FILE)
  return()
endif()
# Cached, so that configuring again in another shell finds the same LibTorch.
set(TORCH_DIR ${HALFSTEP_TORCH_DIR} CACHE PATH "LibTorch: an unpacked libtorch or the torch folder of a Python environment")
if(TARGET halfstep::torch)
  return()
endif()

add_library(halfstep::torch INTERFACE IMPORTED)
target_include_directories(halfstep::torch SYSTEM INTERFACE
  ${_include} ${_include}/torch/csrc/api/include)
target_link_libraries(halfstep::torch INTERFACE
  ${_lib}/libtorch.so ${_lib}/libtorch_cpu.so ${_lib}/libc10.so)
if(_kind STREQUAL CUDA)
  target_link_libraries(halfstep::torch INTERFACE ${_lib}/libtorch_cuda.so ${_lib}/libc10_cuda.so)
  # The NVIDIA libraries are found at run time through libtorch_cuda's own RUNPATH; the linker does not need them.
  target_link_options(halfstep::torch INTERFACE LINKER:--unresolved-symbols=ignore-in-shared-libs)
endif()
# halfstep does not call into libtorch_cuda, which registers itself when it is loaded. A linker that drops unused libraries
# by default (Ubuntu's) would leave the program without CUDA.
target_link_options(halfstep::torch INTERFACE LINKER:--no-as-needed)

# at::parallel_for is a serial loop in files compiled without OpenMP. The OpenMP runtime must be the one that LibTorch loads:
# wheels bring their own libgomp, and two runtimes in one process are two thread pools. So -fopenmp is a compile option only.
target_compile_options(halfstep::torch INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fopenmp>)
file(GLOB _gomp ${_lib}/libgomp*.so*)
if(NOT _gomp)
  set(_gomp gomp)
endif()
list(GET _gomp 0 _gomp)
target_link_libraries(halfstep::torch INTERFACE ${_gomp})
