#include "halfstep/train/config.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <variant>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/core/spelling.h"
#include "halfstep/io/fields.h"
#include "halfstep/io/json.h"
#include "halfstep/model/spec_json.h"
#include "halfstep/train/builtin_configs.h"

namespace halfstep {
namespace {

using nlohmann::json;

// The plain fields of a configuration.
struct ConfigFields {
  Output output = Output::v;
  bool conditional = false;
  bool fit_levels = false;
  ImageCondition condition;
  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("output", self.output, "what the network predicts");
    visit("conditional", self.conditional, "true or false");
    visit("fit_levels", self.fit_levels, "true or false");
    visit("condition", self.condition, "what the images are restored from");
  }
};

// UpdateOptions and the options of one kind of run share an object in a configuration.
template <class Own>
struct Joined {
  UpdateOptions update;
  Own own;
  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    UpdateOptions::for_each_field(self.update, visit);
    Own::for_each_field(self.own, visit);
  }
};

template <class Own>
void read_joined(json& object, const char* key, const std::string& where, UpdateOptions& update,
                 Own& own) {
  const json section = io::take(object, key);
  if (section.is_null()) return;
  Joined<Own> joined{.update = update, .own = own};
  io::fields_from_json(section, joined, where + ": " + key);
  update = joined.update;
  own = joined.own;
}

json config_json(const std::string& name_or_path) {
  std::string list;
  std::vector<std::string> names;
  for (const BuiltinConfig& config : builtin_configs()) {
    if (config.name == name_or_path) return io::parse_json(config.json, config.name);
    list += (list.empty() ? "" : ", ") + std::string(config.name);
    names.emplace_back(config.name);
  }
  if (!std::filesystem::exists(name_or_path)) {
    throw ConfigError("config", "expected " + list + " or a JSON file, received \"" + name_or_path +
                                    "\"" + did_you_mean(name_or_path, names));
  }
  return io::read_json(name_or_path);
}

}  // namespace

Config load_config(const std::string& name_or_path) {
  json fields = config_json(name_or_path);
  if (!fields.is_object())
    throw FormatError(name_or_path, "expected a JSON object, received " + fields.dump());
  Config config;
  config.name = std::filesystem::path(name_or_path).stem().string();
  const json schedule = io::take(fields, "schedule");
  if (!schedule.is_null())
    config.model.schedule = schedule_from_json(schedule, name_or_path + ": schedule");
  json network = io::take(fields, "network");
  if (network.is_object()) network.emplace("type", UNetOptions::kType);
  if (!network.is_null())
    config.model.network = network_from_json(network, name_or_path + ": network");
  read_joined(fields, "train", name_or_path, config.train_update, config.train);
  read_joined(fields, "distill", name_or_path, config.distill_update, config.distill);
  ConfigFields plain;
  io::fields_from_json(fields, plain, name_or_path);
  config.model.output = plain.output;
  config.conditional = plain.conditional;
  config.fit_levels = plain.fit_levels;
  config.model.condition = plain.condition;
  return config;
}

int64_t levels_for(int64_t size) {
  int64_t levels = 1;
  for (; size > 8 && size % 2 == 0; size /= 2) ++levels;
  return levels;
}

NetworkOptions network_for(const Config& config, int64_t size) {
  NetworkOptions network = config.model.network;
  if (!config.fit_levels) return network;
  auto* const unet = std::get_if<UNetOptions>(&network);
  if (unet == nullptr)
    throw ConfigError("config",
                      "fit_levels: expected false for this type of network, received true");
  const auto levels = static_cast<size_t>(levels_for(size));
  if (levels < unet->ch_mult.size()) unet->ch_mult.resize(levels);
  return network;
}

ModelSpec spec_of(const Config& config) {
  ModelSpec spec = config.model;
  const ImageShape image = image_shape(spec.network);
  spec.network = network_for(config, image.size);
  fit(spec.network, {.image = image,
                     .output_channels = raw_channels(spec.output, image.channels),
                     .num_classes = config.conditional ? num_classes(spec.network) : 0,
                     .condition_channels = condition_channels(spec.condition, image.channels)});
  validate(spec);
  return spec;
}

}  // namespace halfstep
