// What halfstep must be told about a network that is code: the shapes and classes of its examples.
#ifndef HALFSTEP_NN_CODE_SHAPE_H_
#define HALFSTEP_NN_CODE_SHAPE_H_

#include <cstdint>
#include <string>
#include <vector>

namespace halfstep {

struct CodeShape {
  std::vector<int64_t> shape;
  int64_t out_channels = 0;
  bool images = false;
  int64_t num_classes = 0;
  int64_t condition_ch = 0;

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("shape", self.shape, "shape of an example, channels first: [2], [C, L], [C, H, W]");
    visit("out_channels", self.out_channels, "C, or 2 C for x_and_eps");
    visit("images", self.images, "true if examples are images [1 or 3, H, W] in [-1, 1]");
    visit("num_classes", self.num_classes, "number of classes; with 0 or 1, it takes no labels");
    visit("condition_ch", self.condition_ch,
          "channels of the image that the network is conditioned on; 0: none");
  }
};

// Throws ConfigError that names `where` and the field.
void validate(const std::string& where, const CodeShape& code);

}  // namespace halfstep

#endif  // HALFSTEP_NN_CODE_SHAPE_H_
