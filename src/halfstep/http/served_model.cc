#include "halfstep/http/served_model.h"

namespace halfstep::http {

std::string ServedModel::class_name(int64_t label) const {
  if (label == kNoClass) return "none";
  const auto number = static_cast<std::size_t>(label);
  return number < class_names.size() ? class_names[number] : std::to_string(label);
}

}  // namespace halfstep::http
