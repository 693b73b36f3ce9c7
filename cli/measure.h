// The measurements of `halfstep bench`: time, memory, and share of what the machine can do.
#ifndef HALFSTEP_CLI_MEASURE_H_
#define HALFSTEP_CLI_MEASURE_H_

#include <c10/core/Device.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "halfstep/core/enum_names.h"
#include "halfstep/core/precision.h"
#include "halfstep/model/model.h"
#include "halfstep/train/options.h"

namespace halfstep {

enum class Operation { train, distill, sample };

template <>
struct EnumNames<Operation> {
  static constexpr auto kNames =
      std::to_array<std::pair<Operation, std::string_view>>({{Operation::train, "train"},
                                                             {Operation::distill, "distill"},
                                                             {Operation::sample, "sample"}});
};

namespace cli {

// What is measured: a model, and how it is updated.
struct Subject {
  std::string name;
  Model model;
  UpdateOptions train;
  UpdateOptions distill;
};

// Measures on images of noise: an update of training, one of distillation, sampling, each on the
// model's device and in its precision. Tells on stderr what it is at.
// The result is what `bench --json` writes; see docs/cli.md.
nlohmann::json measure(const Subject& subject, const std::set<Operation>& wanted, int64_t runs);

}  // namespace cli
}  // namespace halfstep

#endif  // HALFSTEP_CLI_MEASURE_H_
