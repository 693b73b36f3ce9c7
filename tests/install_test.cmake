# Installs halfstep into an empty prefix and builds and runs programs on it: examples/cmake_consumer, which links
# halfstep::diffusion alone and must need no package besides LibTorch; one that includes every public header and links
# halfstep::halfstep; and examples/distill_in_cpp.
#   cmake -D BUILD=... -D SOURCE=... -D FLAGS=... -D COMPILER=... -P install_test.cmake
cmake_minimum_required(VERSION 3.25)
set(work ${BUILD}/install_test)
file(REMOVE_RECURSE ${work})

function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# build_program(<name> <source folder> [<argument of cmake>...]): builds a program on the installed halfstep in <work>/<name>.
function(build_program name source)
  run(${CMAKE_COMMAND} -G Ninja -S ${source} -B ${work}/${name} --no-warn-unused-cli ${ARGN}
    -D CMAKE_PREFIX_PATH=${work}/prefix -D CMAKE_CXX_COMPILER=${COMPILER} "-DCMAKE_CXX_FLAGS=${FLAGS}")
  run(${CMAKE_COMMAND} --build ${work}/${name})
endfunction()

run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${work}/prefix)
run(${work}/prefix/bin/halfstep --help)
run(${work}/prefix/bin/halfstep info ${SOURCE}/models/fashion-4-steps)
foreach(page IN ITEMS man/man1/halfstep.1 bash-completion/completions/halfstep zsh/site-functions/_halfstep
    fish/vendor_completions.d/halfstep.fish)
  if(NOT EXISTS ${work}/prefix/share/${page})
    message(FATAL_ERROR "share/${page} is not installed")
  endif()
endforeach()

set(not_found GIF JPEG LibZip TIFF OpenSSL PNG WebP ZLIB nlohmann_json)
list(TRANSFORM not_found REPLACE "(.+)" "-DCMAKE_DISABLE_FIND_PACKAGE_\\1=ON")
build_program(diffusion ${SOURCE}/examples/cmake_consumer ${not_found})
run(${work}/diffusion/consumer)
find_program(readelf NAMES readelf llvm-readelf REQUIRED)
execute_process(COMMAND ${readelf} -d ${work}/diffusion/consumer OUTPUT_VARIABLE dynamic COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "NEEDED[^\n]*lib(jpeg|zip|crypto|ssl|png|webp|gif|tiff|z)[-.0-9][^\n]*" needed "${dynamic}")
if(needed)
  message(FATAL_ERROR "a program on halfstep::diffusion alone needs: ${needed}")
endif()
if(NOT dynamic MATCHES "NEEDED[^\n]*libc10[.]so")
  message(FATAL_ERROR "readelf -d shows no libc10.so:\n${dynamic}")
endif()

include(${SOURCE}/cmake/PublicHeaders.cmake)
list(TRANSFORM HALFSTEP_PUBLIC_HEADERS REPLACE "(.+)" "#include \"halfstep/\\1\"\n" OUTPUT_VARIABLE includes)
string(JOIN "" includes ${includes})
file(WRITE ${work}/all/public_headers.h "${includes}")
build_program(all ${SOURCE}/tests/install)
run(${work}/all/consumer)

build_program(distill ${SOURCE}/examples/distill_in_cpp)
set(data /usr/share/datasets/fashion-mnist)  # Debian's dataset-fashion-mnist
if(EXISTS ${data})
  run(${work}/distill/distill_in_cpp ${SOURCE}/models/fashion-teacher ${data}
    ${SOURCE}/models/features/resnet20-fashion.safetensors WORKING_DIRECTORY ${work}/distill)
endif()
