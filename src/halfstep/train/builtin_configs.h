#ifndef HALFSTEP_TRAIN_BUILTIN_CONFIGS_H_
#define HALFSTEP_TRAIN_BUILTIN_CONFIGS_H_

#include <span>
#include <string_view>

namespace halfstep {

struct BuiltinConfig {
  std::string_view name;  // "cifar10"
  std::string_view json;  // the text of configs/cifar10.json
};

// The files of configs/, built into the library, sorted by name.
std::span<const BuiltinConfig> builtin_configs();

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_BUILTIN_CONFIGS_H_
