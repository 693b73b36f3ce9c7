#include <nlohmann/json.hpp>
#include <string>

#include "halfstep/core/error.h"
#include "halfstep/io/fields.h"
#include "halfstep/io/json.h"
#include "halfstep/model/spec_json.h"
#include "halfstep/train/options.h"

namespace halfstep {
namespace {

using nlohmann::json;

constexpr int64_t kOptionsVersion = 1;

// The plain fields of RunOptions.
struct RunFields {
  int64_t version = kOptionsVersion;
  RunKind kind = RunKind::train;
  std::filesystem::path data;
  std::optional<int64_t> image_size;
  bool skip_broken = false;
  std::optional<int64_t> threads;
  std::optional<std::string> init_sha256;
  std::filesystem::path features;
  std::string features_sha256;
  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("version", self.version, "an integer");
    visit("kind", self.kind, "train or distill");
    visit("data", self.data, "a path");
    visit("image_size", self.image_size, "pixels, or null");
    visit("skip_broken", self.skip_broken, "true or false");
    visit("threads", self.threads, "CPU threads, or null");
    visit("init_sha256", self.init_sha256, "a hash, or null");
    visit("features", self.features, "a path");
    visit("features_sha256", self.features_sha256, "a hash");
  }
};

}  // namespace

json to_json(const RunOptions& options) {
  json result = io::fields_to_json(RunFields{.kind = options.kind,
                                             .data = options.data,
                                             .image_size = options.image_size,
                                             .skip_broken = options.skip_broken,
                                             .threads = options.threads,
                                             .init_sha256 = options.init_sha256,
                                             .features = options.features,
                                             .features_sha256 = options.features_sha256});
  if (options.features.empty()) {
    result.erase("features");
    result.erase("features_sha256");
  }
  result["update"] = io::fields_to_json(options.update);
  if (options.kind == RunKind::train) result["train"] = io::fields_to_json(options.train);
  if (options.kind == RunKind::distill) result["distill"] = io::fields_to_json(options.distill);
  result["model"] = to_json(options.model);
  return result;
}

RunOptions run_options_from_json(const json& value, std::string_view where_view) {
  const std::string where(where_view);
  if (!value.is_object())
    throw FormatError(where, "expected a JSON object, received " + value.dump());
  json fields = value;
  if (const json version = fields.value("version", json()); version != kOptionsVersion) {
    throw FormatError(where, "version: expected " + std::to_string(kOptionsVersion) +
                                 ", received " + version.dump() +
                                 "; the run was made by another version of halfstep");
  }
  RunOptions options;
  io::fields_from_json(io::take(fields, "update"), options.update, where + ": update");
  const json train = io::take(fields, "train");
  const json distill = io::take(fields, "distill");
  if (!train.is_null()) io::fields_from_json(train, options.train, where + ": train");
  if (!distill.is_null()) io::fields_from_json(distill, options.distill, where + ": distill");
  options.model = spec_from_json(io::take(fields, "model"), where + ": model");
  RunFields plain;
  io::fields_from_json(fields, plain, where);
  options.kind = plain.kind;
  options.data = plain.data;
  options.image_size = plain.image_size;
  options.skip_broken = plain.skip_broken;
  options.threads = plain.threads;
  options.init_sha256 = plain.init_sha256;
  options.features = plain.features;
  options.features_sha256 = plain.features_sha256;
  return options;
}

}  // namespace halfstep
