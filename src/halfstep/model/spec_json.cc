#include "halfstep/model/spec_json.h"

#include <nlohmann/json.hpp>
#include <string>

#include "halfstep/core/error.h"
#include "halfstep/io/fields.h"
#include "halfstep/io/json.h"

namespace halfstep {
namespace {

using nlohmann::json;

constexpr int kSpecVersion = 1;

// The schedules as structs of fields, which are read and written like all options.
struct CosineFields {
  std::optional<double> logsnr_min;
  std::optional<double> logsnr_max;
  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("logsnr_min", self.logsnr_min, "a number, or null for no clipping");
    visit("logsnr_max", self.logsnr_max, "a number, or null for no clipping");
  }
};

struct LinearBetaFields : LinearBetaSchedule {
  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("timesteps", self.timesteps, "number of timesteps");
    visit("beta_first", self.beta_first, "a number in (0, 1)");
    visit("beta_last", self.beta_last, "a number in (0, 1)");
  }
};

struct TableFields : TableSchedule {
  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("phi", self.phi, "angles, increasing in (0, pi/2]");
  }
};

json typed(std::string_view type, json fields) {
  fields["type"] = type;
  return fields;
}

json schedule_json(const CosineSchedule& cosine) {
  CosineFields fields;
  if (cosine.clip) fields = {.logsnr_min = cosine.clip->min, .logsnr_max = cosine.clip->max};
  return typed("cosine", io::fields_to_json(fields));
}

json schedule_json(const LinearBetaSchedule& linear) {
  return typed("linear_beta", io::fields_to_json(LinearBetaFields{linear}));
}

json schedule_json(const TableSchedule& table) {
  return typed("table", io::fields_to_json(TableFields{table}));
}

// The plain fields of ModelSpec.
struct SpecFields {
  Output output = Output::v;
  bool has_null_class = false;
  std::vector<std::string> class_names;
  ImageCondition condition;
  Sampling sampling;
  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("output", self.output, "what the network predicts");
    visit("has_null_class", self.has_null_class, "true or false");
    visit("class_names", self.class_names, "an array of strings");
    visit("condition", self.condition, "what the images are restored from");
    Sampling::for_each_field(self.sampling, visit);
  }
};

json take_required(json& object, const char* key, std::string_view where) {
  if (!object.contains(key))
    throw FormatError(where, "expected the key \"" + std::string(key) + "\", received none");
  return io::take(object, key);
}

// "unet, unet2d, torchscript"
template <size_t I = 0>
std::string network_types() {
  const std::string type(std::variant_alternative_t<I, NetworkOptions>::kType);
  if constexpr (I + 1 < std::variant_size_v<NetworkOptions>) {
    return type + ", " + network_types<I + 1>();
  } else {
    return type;
  }
}

// Returns the default options of the kind that `type` names, searching from alternative I on.
template <size_t I = 0>
NetworkOptions network_of_type(const json& type, std::string_view where) {
  using Options = std::variant_alternative_t<I, NetworkOptions>;
  if (type == Options::kType) return Options{};
  if constexpr (I + 1 < std::variant_size_v<NetworkOptions>) {
    return network_of_type<I + 1>(type, where);
  } else {
    throw FormatError(where, "type: expected " + network_types() + ", received " + type.dump());
  }
}

}  // namespace

void leave_out_default_sampling(json& spec) {
  const json defaults = io::fields_to_json(Sampling{});
  for (const auto& [key, value] : defaults.items()) {
    if (key != "num_steps" && spec.at(key) == value) spec.erase(key);
  }
}

json to_json(const NetworkOptions& network) {
  return std::visit(
      [](const auto& options) {
        json fields = io::fields_to_json(options);
        for (const char* key : {"guidance_ch", "condition_ch"})
          if (fields.value(key, 1) == 0) fields.erase(key);
        return typed(options.kType, std::move(fields));
      },
      network);
}

NetworkOptions network_from_json(const json& value, std::string_view where) {
  if (!value.is_object())
    throw FormatError(where, "expected a JSON object, received " + value.dump());
  json fields = value;
  NetworkOptions network = network_of_type(take_required(fields, "type", where), where);
  std::visit([&](auto& options) { io::fields_from_json(fields, options, where); }, network);
  return network;
}

json to_json(const ScheduleOptions& schedule) {
  return std::visit([](const auto& options) { return schedule_json(options); }, schedule);
}

ScheduleOptions schedule_from_json(const json& value, std::string_view where) {
  if (!value.is_object())
    throw FormatError(where, "expected a JSON object, received " + value.dump());
  json fields = value;
  const json type = take_required(fields, "type", where);
  if (type == "cosine") {
    CosineFields cosine{.logsnr_min = -20.0, .logsnr_max = 20.0};
    io::fields_from_json(fields, cosine, where);
    if (cosine.logsnr_min.has_value() != cosine.logsnr_max.has_value()) {
      throw FormatError(where, "logsnr_min and logsnr_max: expected two numbers or two nulls");
    }
    if (!cosine.logsnr_min) return CosineSchedule{.clip = std::nullopt};
    return CosineSchedule{.clip =
                              LogsnrRange{.min = *cosine.logsnr_min, .max = *cosine.logsnr_max}};
  }
  if (type == "linear_beta") {
    LinearBetaFields linear;
    io::fields_from_json(fields, linear, where);
    return LinearBetaSchedule(linear);
  }
  if (type == "table") {
    TableFields table;
    io::fields_from_json(fields, table, where);
    return TableSchedule(table);
  }
  throw FormatError(where, "type: expected cosine, linear_beta or table, received " + type.dump());
}

json to_json(const ModelSpec& spec) {
  json result = io::fields_to_json(SpecFields{.output = spec.output,
                                              .has_null_class = spec.has_null_class,
                                              .class_names = spec.class_names,
                                              .condition = spec.condition,
                                              .sampling = spec.sampling});
  leave_out_default_sampling(result);
  if (!spec.condition.is_on()) result.erase("condition");
  result["version"] = kSpecVersion;
  result["schedule"] = to_json(spec.schedule);
  result["network"] = to_json(spec.network);
  result["origin"] = io::fields_to_json(spec.origin);
  return result;
}

ModelSpec spec_from_json(const json& value, std::string_view where) {
  if (!value.is_object())
    throw FormatError(where, "expected a JSON object, received " + value.dump());
  json fields = value;
  const json version = take_required(fields, "version", where);
  if (version != kSpecVersion) {
    throw FormatError(where, "version: expected " + std::to_string(kSpecVersion) + ", received " +
                                 version.dump() +
                                 "; the file was written by another version of halfstep");
  }
  ModelSpec spec;
  spec.schedule = schedule_from_json(take_required(fields, "schedule", where),
                                     std::string(where) + ": schedule");
  spec.network =
      network_from_json(take_required(fields, "network", where), std::string(where) + ": network");
  if (fields.contains("origin")) {
    io::fields_from_json(io::take(fields, "origin"), spec.origin, std::string(where) + ": origin");
  }
  SpecFields plain;
  io::fields_from_json(fields, plain, where);
  spec.output = plain.output;
  spec.has_null_class = plain.has_null_class;
  spec.class_names = plain.class_names;
  spec.condition = plain.condition;
  spec.sampling = plain.sampling;
  return spec;
}

}  // namespace halfstep
