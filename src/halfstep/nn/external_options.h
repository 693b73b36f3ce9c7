// A network that the caller of the library makes, such as a module of PyTorch in Python: halfstep
// knows its shapes and its weights, but not its code. Model files hold the weights; whoever reads
// one gives a function that makes the network (NetworkFactory, model/model.h).
#ifndef HALFSTEP_NN_EXTERNAL_OPTIONS_H_
#define HALFSTEP_NN_EXTERNAL_OPTIONS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace halfstep {

struct ExternalOptions {
  static constexpr std::string_view kType = "external";  // in JSON

  std::string code;  // what its code is, for people: "Python module my_unet.UNet"
  std::vector<int64_t> shape;
  int64_t out_channels = 0;
  bool images = false;
  int64_t num_classes = 0;

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("code", self.code, "what the code of the network is, for people");
    visit("shape", self.shape, "shape of an example, channels first: [2], [C, L], [C, H, W]");
    visit("out_channels", self.out_channels, "C, or 2 C for x_and_eps");
    visit("images", self.images, "true if examples are images [1 or 3, H, W] in [-1, 1]");
    visit("num_classes", self.num_classes, "number of classes; with 0 or 1, it takes no labels");
  }
};

// Throws ConfigError that names the field.
void validate(const ExternalOptions& options);

}  // namespace halfstep

#endif  // HALFSTEP_NN_EXTERNAL_OPTIONS_H_
