// What a TorchScript module holds besides its code, and whether calls change it. Include it only in
// .cc files: it pulls in TorchScript's own headers.
#ifndef HALFSTEP_NN_TORCHSCRIPT_STATE_H_
#define HALFSTEP_NN_TORCHSCRIPT_STATE_H_

#include <torch/script.h>

#include <string>

namespace halfstep {

// A copy of all parameters, buffers and attributes of a module and its submodules.
class TorchScriptState {
 public:
  explicit TorchScriptState(const torch::jit::Module& module) : copy_(module.deepcopy()) {}

  // Returns the name of the first value that differs in `module`, which must be the one that was
  // copied; empty if none does. Tensors are compared bit by bit.
  std::string changed_in(const torch::jit::Module& module) const;

 private:
  torch::jit::Module copy_;
};

}  // namespace halfstep

#endif  // HALFSTEP_NN_TORCHSCRIPT_STATE_H_
