// Which instructions kernels may use here.
#ifndef HALFSTEP_CORE_INSTRUCTION_SET_H_
#define HALFSTEP_CORE_INSTRUCTION_SET_H_

namespace halfstep {

// In order; each has all of those before it.
enum class InstructionSet {
  baseline,     // what every machine of the architecture has
  avx2,         // and FMA
  avx512,       // F, BW, DQ, VL
  avx512_bf16,  // products of bfloat16 pairs
};

// The best that the machine has and the environment allows: ATEN_CPU_CAPABILITY limits LibTorch's
// kernels, ONEDNN_MAX_CPU_ISA its convolutions, and both limit this.
InstructionSet instruction_set();

}  // namespace halfstep

#endif  // HALFSTEP_CORE_INSTRUCTION_SET_H_
