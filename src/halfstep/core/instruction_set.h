// The instruction set that CPU kernels may use.
#ifndef HALFSTEP_CORE_INSTRUCTION_SET_H_
#define HALFSTEP_CORE_INSTRUCTION_SET_H_

namespace halfstep {

// In ascending order: each set includes the ones before it.
enum class InstructionSet {
  baseline,     // what every CPU of the architecture has
  avx2,         // AVX2 and FMA
  avx512,       // AVX-512 F, BW, DQ and VL
  avx512_bf16,  // AVX-512 BF16: dot products of bfloat16 pairs
};

// Returns the best instruction set that the CPU supports and the environment allows. Two
// environment variables limit it: ATEN_CPU_CAPABILITY, which also limits LibTorch's own kernels,
// and ONEDNN_MAX_CPU_ISA, which also limits its convolutions. Determined once per process;
// thread-safe.
InstructionSet instruction_set();

}  // namespace halfstep

#endif  // HALFSTEP_CORE_INSTRUCTION_SET_H_
