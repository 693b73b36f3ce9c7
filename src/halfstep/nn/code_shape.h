// What halfstep must be told about a network that is code: the shapes and classes of its examples.
#ifndef HALFSTEP_NN_CODE_SHAPE_H_
#define HALFSTEP_NN_CODE_SHAPE_H_

#include <cstdint>
#include <string>
#include <vector>

namespace halfstep {

// The fields of TorchScriptOptions and ExternalOptions, which describe them.
struct CodeShape {
  const std::vector<int64_t>& shape;
  int64_t out_channels = 0;
  bool images = false;
  int64_t num_classes = 0;
};

// Throws ConfigError that names `where` and the field.
void validate(const std::string& where, const CodeShape& code);

}  // namespace halfstep

#endif  // HALFSTEP_NN_CODE_SHAPE_H_
