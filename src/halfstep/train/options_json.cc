#include <array>
#include <string>

#include "halfstep/core/error.h"
#include "halfstep/io/fields.h"
#include "halfstep/io/json.h"
#include "halfstep/model/spec_json.h"
#include "halfstep/train/builtin_configs.h"
#include "halfstep/train/options.h"

namespace halfstep {
namespace {

using nlohmann::json;

constexpr int kOptionsVersion = 2;  // 1 had update.state_every, a number of updates

// The plain fields of RunOptions.
struct RunFields {
  int64_t version = kOptionsVersion;
  RunKind kind = RunKind::train;
  std::filesystem::path data;
  std::optional<int64_t> image_size;
  std::optional<int64_t> threads;
  std::optional<std::string> init_sha256;
  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("version", self.version, "an integer");
    visit("kind", self.kind, "train or distill");
    visit("data", self.data, "a path");
    visit("image_size", self.image_size, "pixels, or null");
    visit("threads", self.threads, "CPU threads, or null");
    visit("init_sha256", self.init_sha256, "a hash, or null");
  }
};

// The plain fields of a configuration.
struct ConfigFields {
  Output output = Output::v;
  bool conditional = false;
  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("output", self.output, "what the network predicts");
    visit("conditional", self.conditional, "true or false");
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

// Removes and returns a key; null where there is none.
json take(json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return nullptr;
  json value = *found;
  object.erase(found);
  return value;
}

// The update's key of version 1 as the one of today.
void move_state_every(json& update) {
  if (!update.is_object() || !update.contains("state_every")) return;
  update["checkpoint_every"] = update["state_every"].dump();
  update.erase("state_every");
}

template <class Own>
void read_joined(json& object, const char* key, const std::string& where, UpdateOptions& update,
                 Own& own) {
  const json section = take(object, key);
  if (section.is_null()) return;
  Joined<Own> joined{.update = update, .own = own};
  io::fields_from_json(section, joined, where + ": " + key);
  update = joined.update;
  own = joined.own;
}

json config_json(const std::string& name_or_path) {
  std::string names;
  for (const BuiltinConfig& config : builtin_configs()) {
    if (config.name == name_or_path) return io::parse_json(config.json, config.name);
    names += (names.empty() ? "" : ", ") + std::string(config.name);
  }
  if (!std::filesystem::exists(name_or_path)) {
    throw ConfigError("config",
                      "expected " + names + " or a JSON file, received \"" + name_or_path + "\"");
  }
  return io::read_json(name_or_path);
}

}  // namespace

json to_json(const RunOptions& options) {
  json result = io::fields_to_json(RunFields{.kind = options.kind,
                                             .data = options.data,
                                             .image_size = options.image_size,
                                             .threads = options.threads,
                                             .init_sha256 = options.init_sha256});
  result["update"] = io::fields_to_json(options.update);
  if (options.kind == RunKind::train) result["train"] = io::fields_to_json(options.train);
  if (options.kind == RunKind::distill) result["distill"] = io::fields_to_json(options.halving);
  result["model"] = to_json(options.model);
  return result;
}

RunOptions run_options_from_json(const json& value, std::string_view where_view) {
  const std::string where(where_view);
  if (!value.is_object())
    throw FormatError(where, "expected a JSON object, received " + value.dump());
  json fields = value;
  const json version = fields.value("version", json());
  RunOptions options;
  json update = take(fields, "update");
  if (version == 1) move_state_every(update);
  io::fields_from_json(update, options.update, where + ": update");
  const json train = take(fields, "train");
  const json distill = take(fields, "distill");
  if (!train.is_null()) io::fields_from_json(train, options.train, where + ": train");
  if (!distill.is_null()) io::fields_from_json(distill, options.halving, where + ": distill");
  options.model = spec_from_json(take(fields, "model"), where + ": model");
  RunFields plain;
  io::fields_from_json(fields, plain, where);
  if (plain.version < 1 || plain.version > kOptionsVersion) {
    throw FormatError(where, "version: expected 1 to " + std::to_string(kOptionsVersion) +
                                 ", received " + std::to_string(plain.version) +
                                 "; it was made by another halfstep");
  }
  options.kind = plain.kind;
  options.data = plain.data;
  options.image_size = plain.image_size;
  options.threads = plain.threads;
  options.init_sha256 = plain.init_sha256;
  return options;
}

Config load_config(const std::string& name_or_path) {
  json fields = config_json(name_or_path);
  if (!fields.is_object())
    throw FormatError(name_or_path, "expected a JSON object, received " + fields.dump());
  Config config;
  config.name = std::filesystem::path(name_or_path).stem().string();
  const json schedule = take(fields, "schedule");
  if (!schedule.is_null())
    config.model.schedule = schedule_from_json(schedule, name_or_path + ": schedule");
  json network = take(fields, "network");
  if (network.is_object()) network.emplace("type", UNetOptions::kType);
  if (!network.is_null())
    config.model.network = network_from_json(network, name_or_path + ": network");
  read_joined(fields, "train", name_or_path, config.train_update, config.train);
  read_joined(fields, "distill", name_or_path, config.distill_update, config.halving);
  ConfigFields plain;
  io::fields_from_json(fields, plain, name_or_path);
  config.model.output = plain.output;
  config.conditional = plain.conditional;
  return config;
}

}  // namespace halfstep
