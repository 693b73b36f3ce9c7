# Installs halfstep into an empty prefix, then configures, builds and runs examples/cmake_consumer on it.
#   cmake -D BUILD=... -D SOURCE=... -D FLAGS=... -D COMPILER=... -P install_test.cmake
set(work ${BUILD}/install_test)
file(REMOVE_RECURSE ${work})
foreach(command
    "--install ${BUILD} --prefix ${work}/prefix"
    "-G Ninja -S ${SOURCE}/examples/cmake_consumer -B ${work}/consumer -D CMAKE_BUILD_TYPE=Debug -D CMAKE_PREFIX_PATH=${work}/prefix -D CMAKE_CXX_COMPILER=${COMPILER} -D \"CMAKE_CXX_FLAGS=${FLAGS}\""
    "--build ${work}/consumer")
  separate_arguments(arguments UNIX_COMMAND "${command}")
  execute_process(COMMAND ${CMAKE_COMMAND} ${arguments} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
foreach(program ${work}/consumer/consumer "${work}/prefix/bin/halfstep;--help")
  execute_process(COMMAND ${program} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
