// What all TorchScript files share, networks and feature networks: how they are read, called, and
// what is said when that fails. For .cc files only: TorchScript's own headers come with it.
#ifndef HALFSTEP_NN_TORCHSCRIPT_MODULE_H_
#define HALFSTEP_NN_TORCHSCRIPT_MODULE_H_

#include <torch/script.h>

#include <filesystem>
#include <istream>
#include <string>
#include <vector>

namespace halfstep {

// The module of a file, on the CPU and in the form for evaluation. `texts` has the names of files
// inside it that are wanted; those that it has are filled in. Throws IoError where there is no
// file, FormatError where it is not TorchScript with a method forward.
torch::jit::Module load_torchscript(const std::filesystem::path& path,
                                    torch::jit::ExtraFilesMap& texts);
// The same of a file's contents; `where` is for messages.
torch::jit::Module load_torchscript(std::istream& contents, const std::string& where,
                                    torch::jit::ExtraFilesMap& texts);

// What forward gives, run as it is written: without the optimiser that profiles the first calls,
// so that every call computes the same way. Throws FormatError, "[where] call: reason", where it
// fails.
c10::IValue call_forward(const torch::jit::Module& module, std::vector<c10::IValue> inputs,
                         const torch::jit::Kwargs& arguments, const std::string& where,
                         const std::string& call);

}  // namespace halfstep

#endif  // HALFSTEP_NN_TORCHSCRIPT_MODULE_H_
