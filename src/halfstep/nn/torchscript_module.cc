#include "halfstep/nn/torchscript_module.h"

#include <torch/csrc/jit/runtime/graph_executor.h>

#include <exception>
#include <fstream>
#include <system_error>
#include <utility>

#include "halfstep/core/error.h"

namespace halfstep {
namespace {

// LibTorch's messages begin with a stack trace; the reason is the last line.
std::string last_line(std::string text) {
  text.erase(text.find_last_not_of(" \n") + 1);
  return text.substr(text.rfind('\n') + 1);
}

std::string reason_of(const std::exception& error) {
  const auto* of_torch = dynamic_cast<const c10::Error*>(&error);
  return last_line(of_torch == nullptr ? error.what() : of_torch->what_without_backtrace());
}

}  // namespace

torch::jit::Module load_torchscript(const std::filesystem::path& path,
                                    torch::jit::ExtraFilesMap& texts) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored))
    throw IoError(path.string(), "expected a file, received none");
  std::ifstream contents(path, std::ios::binary);
  return load_torchscript(contents, path.string(), texts);
}

torch::jit::Module load_torchscript(std::istream& contents, const std::string& where,
                                    torch::jit::ExtraFilesMap& texts) {
  try {
    torch::jit::Module module = torch::jit::load(contents, at::kCPU, texts);
    module.eval();
    if (module.find_method("forward")) return module;
  } catch (const std::exception& error) {
    throw FormatError(where, "expected a TorchScript file: " + reason_of(error));
  }
  throw FormatError(where, "expected a TorchScript module with a method forward");
}

c10::IValue call_method(const torch::jit::Module& module, const std::string& method,
                        std::vector<c10::IValue> inputs, const torch::jit::Kwargs& arguments,
                        const std::string& where, const std::string& call) {
  const torch::jit::GraphOptimizerEnabledGuard as_written(false);
  try {
    return module.get_method(method)(std::move(inputs), arguments);
  } catch (const std::exception& error) {
    throw FormatError(where, call + ": " + reason_of(error));
  }
}

}  // namespace halfstep
