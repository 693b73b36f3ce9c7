// The fixture of the tests of TorchScript networks.
#ifndef HALFSTEP_TESTS_NN_TORCHSCRIPT_FIXTURE_H_
#define HALFSTEP_TESTS_NN_TORCHSCRIPT_FIXTURE_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>

#include "halfstep/core/error.h"
#include "halfstep/diffusion/angle.h"
#include "halfstep/nn/torchscript_network.h"
#include "tests/io/temporary_folder.h"
#include "tests/nn/torchscript_files.h"
#include "tests/support/expect_throws.h"
#include "tests/support/random_tensors.h"

namespace halfstep::test {

// Writes TorchScript code to a file and loads it as a network.
class TorchScriptTest : public ::testing::Test {
 protected:
  TorchScriptNetwork network(const TorchScriptCode& code,
                             const TorchScriptOptions& options = gaussian_options()) const {
    write_torchscript(path, code);
    return {read_torchscript(path), options};
  }
  // A network with one parameter, `scale`.
  TorchScriptNetwork network(const std::string& methods,
                             const TorchScriptOptions& options = gaussian_options()) const {
    return network({.methods = methods, .parameters = {{"scale", trained(at::ones({1}))}}},
                   options);
  }
  void expect_refused(const TorchScriptCode& code, std::initializer_list<std::string_view> words,
                      const TorchScriptOptions& options = gaussian_options()) const {
    expect_throws<FormatError>(words, [&] { network(code, options); });
    expect_throws<FormatError>({path.string()}, [&] { network(code, options); });
  }
  void expect_refused(const std::string& methods, std::initializer_list<std::string_view> words,
                      const TorchScriptOptions& options = gaussian_options()) const {
    expect_refused({.methods = methods, .parameters = {{"scale", trained(at::ones({1}))}}}, words,
                   options);
  }

  io::TemporaryFolder folder;
  std::filesystem::path path = folder / "net.pt";
  Tensor z = random_normal({5, 2}, 1, at::kFloat);
  Tensor phi = float64_vector({0.0, 0.1, 0.7, 1.5, kHalfPi});
};

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_NN_TORCHSCRIPT_FIXTURE_H_
