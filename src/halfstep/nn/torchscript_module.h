// Loading and calling TorchScript files, for networks and feature networks. Include it only in .cc
// files: it pulls in TorchScript's own headers.
#ifndef HALFSTEP_NN_TORCHSCRIPT_MODULE_H_
#define HALFSTEP_NN_TORCHSCRIPT_MODULE_H_

#include <torch/script.h>

#include <filesystem>
#include <istream>
#include <string>
#include <vector>

namespace halfstep {

// Loads the module of a file, on the CPU and in evaluation mode. `texts` has the names of the files
// to read from inside it; those that exist are filled in. Throws IoError if there is no such file,
// and FormatError if it is not TorchScript with a method forward.
torch::jit::Module load_torchscript(const std::filesystem::path& path,
                                    torch::jit::ExtraFilesMap& texts);
// Does the same for the contents of a file; `where` is for messages.
torch::jit::Module load_torchscript(std::istream& contents, const std::string& where,
                                    torch::jit::ExtraFilesMap& texts);

// Calls a method without the optimizer that profiles the first calls, so that every call computes
// the same way. Throws FormatError, "[where] call: reason", if it fails.
c10::IValue call_method(const torch::jit::Module& module, const std::string& method,
                        std::vector<c10::IValue> inputs, const torch::jit::Kwargs& arguments,
                        const std::string& where, const std::string& call);

}  // namespace halfstep

#endif  // HALFSTEP_NN_TORCHSCRIPT_MODULE_H_
