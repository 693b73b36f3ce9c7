#include "halfstep/train/fingerprint.h"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/version.h>

#include <nlohmann/json.hpp>

#include "halfstep/core/precision.h"
#include "halfstep/core/version.h"

namespace halfstep {

nlohmann::json fingerprint(const data::Dataset& dataset, const at::Device& device) {
  return {{"threads", at::get_num_threads()},
          {"cpu_capability", at::get_cpu_capability()},
          {"device", device.str()},
          {"best_precision", std::string(name_of(best_precision(device)))},
          {"libtorch", TORCH_VERSION},
          {"halfstep", std::string(version())},
          {"data", dataset.fingerprint()}};
}

std::string differences(const nlohmann::json& saved, const nlohmann::json& now) {
  std::string text;
  for (const auto& [key, value] : now.items()) {
    const auto found = saved.find(key);
    if (found != saved.end() && *found == value) continue;
    if (!text.empty()) text += "; ";
    text +=
        key + " was " + (found == saved.end() ? "unknown" : found->dump()) + ", is " + value.dump();
  }
  return text;
}

}  // namespace halfstep
