#include "halfstep/core/instruction_set.h"

#include <ATen/Version.h>

#include <algorithm>
#include <cstdlib>
#include <string>

namespace halfstep {
namespace {

#if defined(__x86_64__)

InstructionSet of_libtorch() {
  const std::string capability = at::get_cpu_capability();
  if (capability == "AVX2") return InstructionSet::avx2;
  if (!capability.starts_with("AVX512")) return InstructionSet::baseline;
  return __builtin_cpu_supports("avx512bf16") ? InstructionSet::avx512_bf16
                                              : InstructionSet::avx512;
}

InstructionSet of_onednn() {
  const char* limit = std::getenv("ONEDNN_MAX_CPU_ISA");
  if (limit == nullptr) limit = std::getenv("DNNL_MAX_CPU_ISA");
  const std::string name = limit == nullptr ? "" : limit;
  if (name == "SSE41" || name == "AVX") return InstructionSet::baseline;
  if (name == "AVX2" || name.starts_with("AVX2_")) return InstructionSet::avx2;
  if (name == "AVX512_CORE" || name == "AVX512_CORE_VNNI") return InstructionSet::avx512;
  return InstructionSet::avx512_bf16;
}

InstructionSet choose() { return std::min(of_libtorch(), of_onednn()); }

#else

InstructionSet choose() { return InstructionSet::baseline; }

#endif

}  // namespace

InstructionSet instruction_set() {
  static const InstructionSet chosen = choose();
  return chosen;
}

}  // namespace halfstep
