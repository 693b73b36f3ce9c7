# Checks the messages of cmake/FindHalfstepTorch.cmake about a LibTorch that does not fit: one line with what is required, what
# was found and where.
#   cmake -D MODULE=... -D WORK=<scratch folder> -P find_torch_test.cmake
function(fake_torch folder minor symbols)
  file(WRITE ${folder}/include/torch/csrc/api/include/torch/version.h
    "#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR ${minor}\n#define TORCH_VERSION_PATCH 1\n")
  file(WRITE ${folder}/lib/libc10.so "${symbols}\n")
endfunction()

function(expect folder line)
  execute_process(COMMAND ${CMAKE_COMMAND} -D TORCH_DIR=${folder} -P ${MODULE}
    ERROR_VARIABLE output OUTPUT_VARIABLE output)
  string(FIND "${output}" "${line}\n" at)
  if(at EQUAL -1)
    message(SEND_ERROR "expected: ${line}\nreceived: ${output}")
  endif()
endfunction()

set(new "_ZN3c106detail14torchCheckFailEPKcS2_jRKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE")
set(old "_ZN3c106detail14torchCheckFailEPKcS2_jRKSs")
set(wanted "LibTorch 2.7 or newer with the new C++ ABI is required; found:")
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK}/empty)
fake_torch(${WORK}/older 6 ${new})
fake_torch(${WORK}/old_abi 7 ${old})
fake_torch(${WORK}/good 7 ${new})

expect(${WORK}/gone "${wanted} no LibTorch with headers and libraries in ${WORK}/gone")
expect(${WORK}/empty "${wanted} no LibTorch with headers and libraries in ${WORK}/empty")
expect(${WORK}/older "${wanted} LibTorch 2.6.1 in ${WORK}/older")
expect(${WORK}/old_abi "${wanted} LibTorch 2.7.1 with the old C++ ABI in ${WORK}/old_abi")
expect(${WORK}/good "-- LibTorch 2.7.1 (CPU) in ${WORK}/good")
