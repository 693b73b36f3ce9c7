#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "halfstep/convert/diffusers_config.h"
#include "halfstep/core/error.h"
#include "halfstep/io/fields.h"
#include "halfstep/io/json.h"
#include "halfstep/io/quote.h"

namespace halfstep {
namespace {

using nlohmann::json;

constexpr size_t kLongestNames = 300;  // bytes, in a note

// Keys for which UNet2dOptions has one value. A network without the key has it.
struct Fixed {
  const char* key;
  std::vector<json> values;
};

const std::vector<Fixed>& fixed_keys() {
  static const std::vector<Fixed> kFixed = {
      {"act_fn", {"silu", "swish"}},          {"attention_legacy_order", {false}},
      {"center_input_sample", {false}},       {"class_embed_type", {nullptr}},
      {"mid_block_scale_factor", {1}},        {"mid_block_type", {"UNetMidBlock2D"}},
      {"time_embedding_type", {"positional"}}};
  return kFixed;
}

void take_fixed(json& fields, std::string_view where) {
  for (const auto& [key, values] : fixed_keys()) {
    const auto found = fields.find(key);
    if (found == fields.end()) continue;
    if (std::find(values.begin(), values.end(), *found) == values.end())
      fail_key(where, key, values.front().dump(), *found);
    fields.erase(found);
  }
}

// A number, or two of the same.
json square_size(json size, std::string_view where) {
  if (size.is_array() && size.size() == 2 && size[0] == size[1]) size = size[0];
  if (!size.is_number_integer()) fail_key(where, "sample_size", "one size, of square images", size);
  return size;
}

// Removes the keys that UNet2DModel does not have, such as those of EMAModel, and names them in
// `notes`. diffusers passes them over, too. Keys that begin with "_" are diffusers' own.
void take_foreign(json& fields, std::vector<std::string>& notes) {
  json known = io::fields_to_json(UNet2dOptions{});
  known.erase("guidance_ch");
  std::string names;
  for (auto field = fields.begin(); field != fields.end();) {
    if (known.contains(field.key())) {
      ++field;
      continue;
    }
    if (!field.key().starts_with("_"))
      names += (names.empty() ? "" : ", ") + io::quote(field.key());
    field = fields.erase(field);
  }
  if (names.size() > kLongestNames) names.replace(kLongestNames, std::string::npos, "...");
  if (!names.empty()) notes.push_back("passed over keys that are not of UNet2DModel: " + names);
}

// Throws FormatError, in the words of diffusers, for networks that are more than a function of an
// image, a time and a class.
void require_denoiser(const UNet2dOptions& options, std::string_view where) {
  if (options.out_channels % 2 == 0 && options.out_channels / 2 == options.in_channels) {
    fail_key(where, "out_channels",
             std::to_string(options.in_channels) +
                 ", as many as in_channels, because learned variances are not supported",
             options.out_channels);
  }
  if (options.in_channels != options.out_channels) {
    fail_key(where, "in_channels",
             std::to_string(options.out_channels) +
                 ", as many as out_channels, because conditions that are concatenated to the image "
                 "are not supported",
             options.in_channels);
  }
}

}  // namespace

void fail_key(std::string_view where, const std::string& key, const std::string& expected,
              const json& received) {
  constexpr size_t kLongest = 100;
  std::string text = received.dump();
  if (text.size() > kLongest) text.replace(kLongest, std::string::npos, "...");
  throw FormatError(where, key + ": expected " + expected + ", received " + text);
}

UNet2dOptions unet2d_options_of(const json& config, std::string_view where,
                                std::vector<std::string>& notes) {
  if (!config.is_object())
    throw FormatError(where, "expected a JSON object, received " + config.dump());
  json fields = config;
  const json name = io::take(fields, "_class_name");
  if (name != "UNet2DModel") fail_key(where, "_class_name", "UNet2DModel", name);
  take_fixed(fields, where);
  io::take(fields, "num_train_timesteps");  // of learned time embeddings only
  fields["image_size"] = square_size(io::take(fields, "sample_size"), where);
  const json classes = io::take(fields, "num_class_embeds");
  if (!classes.is_null()) fields["num_classes"] = classes;
  take_foreign(fields, notes);
  UNet2dOptions options;
  io::fields_from_json(fields, options, where);
  require_denoiser(options, where);
  if (!classes.is_null() && options.num_classes < 2)
    fail_key(where, "num_class_embeds", "2 or more, or null", classes);
  return options;
}

json unet_config_of(const UNet2dOptions& options) {
  json config = io::fields_to_json(options);
  for (const auto& [key, values] : fixed_keys()) config[key] = values.front();
  config.erase("attention_legacy_order");  // newer than the rest
  config.erase("guidance_ch");
  config.erase("image_size");
  config.erase("num_classes");
  config["sample_size"] = options.image_size;
  config["num_class_embeds"] = options.num_classes > 1 ? json(options.num_classes) : json(nullptr);
  config["num_train_timesteps"] = nullptr;
  config["_class_name"] = "UNet2DModel";
  config["_diffusers_version"] = kDiffusersVersion;
  return config;
}

}  // namespace halfstep
