// A libFuzzer program. HALFSTEP_FUZZ_TARGET is the name of its target.
#include <cstddef>
#include <cstdint>
#include <span>

#include "tests/fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  halfstep::fuzz::HALFSTEP_FUZZ_TARGET(std::as_bytes(std::span(data, size)));
  return 0;
}
