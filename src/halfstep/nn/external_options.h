// A network that the caller of the library makes, such as a module of PyTorch in Python: halfstep
// knows its shapes and its weights, but not its code. Model files hold the weights; whoever reads
// one gives a function that makes the network (NetworkFactory, model/model.h).
#ifndef HALFSTEP_NN_EXTERNAL_OPTIONS_H_
#define HALFSTEP_NN_EXTERNAL_OPTIONS_H_

#include <string>
#include <string_view>

#include "halfstep/nn/code_shape.h"

namespace halfstep {

struct ExternalOptions : CodeShape {
  static constexpr std::string_view kType = "external";  // in JSON

  std::string code;  // what its code is, for people: "Python module my_unet.UNet"

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("code", self.code, "what the code of the network is, for people");
    CodeShape::for_each_field(self, visit);
  }
};

// Throws ConfigError that names the field.
void validate(const ExternalOptions& options);

}  // namespace halfstep

#endif  // HALFSTEP_NN_EXTERNAL_OPTIONS_H_
