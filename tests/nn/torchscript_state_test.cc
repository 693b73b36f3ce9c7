// TorchScript code whose calls depend on more than their arguments.
#include <gtest/gtest.h>

#include <string>

#include "halfstep/core/error.h"
#include "halfstep/nn/torchscript_network.h"
#include "tests/nn/torchscript_files.h"
#include "tests/nn/torchscript_fixture.h"
#include "tests/support/expect_throws.h"
#include "tests/support/random_tensors.h"

namespace halfstep {
namespace {

using test::expect_throws;
using test::trained;

using StatefulTorchScript = test::TorchScriptTest;

TEST_F(StatefulTorchScript, CodeThatDrawsRandomNumbersIsRefused) {
  expect_refused("def forward(self, z, logsnr): return torch.dropout(self.scale * z, 0.1, True)",
                 {"no random numbers", "eval()"});
  expect_refused("def forward(self, z, logsnr): return self.scale * z + 0 * torch.randn_like(z)",
                 {"no random numbers"});
}

TEST_F(StatefulTorchScript, CodeThatDrawsRandomNumbersAtOneBatchSizeIsRefusedThere) {
  const TorchScriptNetwork code = network(R"(
def forward(self, z, logsnr):
    if z.size(0) == 5:
        return self.scale * z + 0 * torch.randn_like(z)
    return self.scale * z
)");
  EXPECT_NO_THROW(code.forward(z.narrow(0, 0, 4), phi.narrow(0, 0, 4), {}));
  expect_throws<FormatError>({path.string(), "no random numbers"},
                             [&] { code.forward(z, phi, {}); });
}

// In place, by another tensor under its name, and past the version counter.
TEST_F(StatefulTorchScript, CodeThatChangesItsModuleIsRefused) {
  for (const std::string change :
       {"self.calls.add_(1)", "self.calls = self.calls + 1", "self.calls.data.add_(1)"}) {
    expect_refused({.methods = "def forward(self, z, logsnr):\n    " + change +
                               "\n    return self.scale * z\n",
                    .parameters = {{"scale", trained(at::ones({1}))}},
                    .buffers = {{"calls", at::zeros({1}, at::kLong)}}},
                   {"calls change calls", "eval()"});
  }
  expect_refused(
      "def forward(self, z, logsnr):\n    self.scale.data.add_(1)\n    return self.scale * z\n",
      {"calls change scale"});
  expect_refused(R"(
def forward(self, z, logsnr):
    if z.size(0) == 1:
        self.scale.data.add_(1)
    return self.scale * z
)",
                 {"calls change scale"});
  expect_refused(
      "def forward(self, z, logsnr):\n    self.training = True\n    return self.scale * z\n",
      {"calls change training"});
}

TEST_F(StatefulTorchScript, CodeMayWriteToItsArguments) {
  const TorchScriptOptions options = {{.shape = {2}, .out_channels = 2, .num_classes = 3}};
  const TorchScriptNetwork writes = network(R"(
def forward(self, z, logsnr, labels):
    z.mul_(0.5)
    logsnr.zero_()
    labels.zero_()
    return self.scale * z
)",
                                            options);
  const Tensor z_before = z.clone();
  const Tensor labels = at::ones({5}, at::kLong);
  EXPECT_TRUE(at::equal(writes.forward(z, phi, {.labels = labels}), 0.5 * z_before));
  EXPECT_TRUE(at::equal(z, z_before));
  EXPECT_TRUE(at::equal(labels, at::ones({5}, at::kLong)));
}

}  // namespace
}  // namespace halfstep
