#include "halfstep/http/image_request.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "halfstep/core/listed.h"
#include "halfstep/io/base64.h"
#include "halfstep/io/fields.h"
#include "halfstep/io/image.h"
#include "halfstep/io/json.h"

namespace halfstep::http {
namespace {

constexpr std::string_view kWhere = "request";

// A class by its number or its name.
using ClassName = std::variant<int64_t, std::string>;

struct Fields {
  std::optional<std::string> model;
  std::optional<std::string> prompt;
  std::optional<int64_t> n;
  std::optional<std::string> size;
  std::optional<std::string> response_format;
  std::optional<std::string> user;
  std::optional<ClassName> class_name;
  std::optional<uint64_t> seed;
  std::optional<std::vector<uint64_t>> seeds;
  std::optional<double> guidance;
  std::optional<ImageFormat> format;
  std::optional<std::string> image;
  std::optional<std::string> mask;

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("model", self.model, "");
    visit("prompt", self.prompt, "");
    visit("n", self.n, "");
    visit("size", self.size, "");
    visit("response_format", self.response_format, "");
    visit("user", self.user, "");
    visit("class", self.class_name, "");
    visit("seed", self.seed, "");
    visit("seeds", self.seeds, "");
    visit("guidance", self.guidance, "");
    visit("format", self.format, "");
    visit("image", self.image, "");
    visit("mask", self.mask, "");
  }
};

[[noreturn]] void fail(const std::string& what) { throw FormatError(kWhere, what); }

std::vector<std::string> ids_of(const std::vector<ServedModel>& models) {
  std::vector<std::string> ids;
  for (const ServedModel& model : models) ids.push_back(model.id);
  return ids;
}

std::size_t model_of(const std::optional<std::string>& name,
                     const std::vector<ServedModel>& models) {
  const std::vector<std::string> ids = ids_of(models);
  if (!name) {
    if (models.size() == 1) return 0;
    fail("model: expected one of " + listed(ids, /*most=*/20) + ", received none");
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] == *name) return i;
  }
  throw UnknownModelError(kWhere, "model: expected " + listed(ids, /*most=*/20) + ", received " +
                                      io::quote(*name) + did_you_mean(*name, ids));
}

int64_t class_number(int64_t number, const ServedModel& model) {
  if (number >= 0 && number < model.num_classes) return number;
  fail("class: expected 0 to " + std::to_string(model.num_classes - 1) + ", received " +
       std::to_string(number));
}

int64_t class_called(const std::string& name, const ServedModel& model, const char* field) {
  if (name == "none" && model.has_null_class) return kNoClass;
  for (std::size_t k = 0; k < model.class_names.size(); ++k) {
    if (model.class_names[k] == name) return static_cast<int64_t>(k);
  }
  fail(std::string(field) + ": expected " +
       (model.class_names.empty() ? "a number" : listed(model.class_names, /*most=*/20)) +
       (model.has_null_class ? " or none" : "") + ", received " + io::quote(name) +
       did_you_mean(name, model.class_names));
}

std::optional<int64_t> label_of(const Fields& fields, const ServedModel& model) {
  const bool has_prompt = fields.prompt && !fields.prompt->empty();
  if (!fields.class_name && !has_prompt) return std::nullopt;
  if (fields.class_name && has_prompt) fail("class: expected either class or prompt, not both");
  const char* const field = has_prompt ? "prompt" : "class";
  if (!model.has_classes()) {
    fail(std::string(field) + ": expected none, because " + model.id +
         " has no classes, received one");
  }
  if (has_prompt) return class_called(*fields.prompt, model, field);
  if (const auto* number = std::get_if<int64_t>(&*fields.class_name))
    return class_number(*number, model);
  return class_called(std::get<std::string>(*fields.class_name), model, field);
}

void require_count(int64_t n) {
  if (n < 1 || n > kMostImages)
    fail("n: expected 1 to " + std::to_string(kMostImages) + ", received " + std::to_string(n));
}

std::vector<uint64_t> seeds_of(const Fields& fields, const std::function<uint64_t()>& random_seed) {
  if (fields.seeds) {
    if (fields.seed) fail("seed: expected either seed or seeds, not both");
    const auto count = static_cast<int64_t>(fields.seeds->size());
    if (count < 1 || count > kMostImages) {
      fail("seeds: expected 1 to " + std::to_string(kMostImages) + ", received " +
           std::to_string(count));
    }
    if (fields.n && *fields.n != count)
      fail("n: expected " + std::to_string(count) + ", the number of seeds, or none, received " +
           std::to_string(*fields.n));
    return *fields.seeds;
  }
  const int64_t n = fields.n.value_or(1);
  require_count(n);
  const uint64_t first = fields.seed ? *fields.seed : random_seed();
  const auto more = static_cast<uint64_t>(n - 1);
  if (first > std::numeric_limits<uint64_t>::max() - more)
    fail("seed: expected less, received " + std::to_string(first));
  std::vector<uint64_t> seeds;
  for (uint64_t i = 0; i <= more; ++i) seeds.push_back(first + i);
  return seeds;
}

double guidance_of(const std::optional<double>& guidance, const ServedModel& model) {
  const GuidanceLimits& limits = model.guidance;
  if (!guidance) return limits.value;
  if (std::isfinite(*guidance) && *guidance >= limits.min && *guidance <= limits.max)
    return *guidance;
  const auto text = [](double number) { return nlohmann::json(number).dump(); };
  fail("guidance: expected " +
       (limits.is_fixed() ? text(limits.value) + ", which " + model.id + " is limited to,"
                          : text(limits.min) + " to " + text(limits.max) + ",") +
       " received " + text(*guidance));
}

// Decodes an image file in Base64. Throws FormatError unless it has this size and number of
// channels; a colour image counts as a grey one where one channel is expected.
io::Image image_of(const std::string& text, const char* field, const InputLimits& limits,
                   int channels) {
  const std::optional<std::string> bytes = io::from_base64(text);
  if (!bytes) fail(std::string(field) + ": expected an image file in Base64, received other text");
  io::Image image = io::decode_image(std::as_bytes(std::span(*bytes)), field);
  if (channels == 1 && image.channels == 3) image = io::grey(image);
  const auto shape = [](int width, int height, int of) {
    return std::to_string(width) + "x" + std::to_string(height) + " with " + std::to_string(of) +
           (of == 1 ? " channel" : " channels");
  };
  if (image.width == limits.width && image.height == limits.height && image.channels == channels)
    return image;
  fail(std::string(field) + ": expected " + shape(limits.width, limits.height, channels) +
       ", received " + shape(image.width, image.height, image.channels));
}

// Returns what is known of the image that a model restores; null for other models.
std::shared_ptr<const Known> known_of(const Fields& fields, const ServedModel& model) {
  if (!model.input) {
    if (fields.image || fields.mask)
      fail("image: expected none, because " + model.id + " restores no images, received one");
    return nullptr;
  }
  const InputLimits& limits = *model.input;
  if (!fields.image) {
    fail("image: expected an image file in Base64, because " + model.id + " is for " +
         limits.condition + ", received none");
  }
  if (fields.mask.has_value() != limits.takes_mask) {
    fail(std::string("mask: expected ") + (limits.takes_mask ? "one" : "none") + " for " +
         limits.condition + ", received " + (limits.takes_mask ? "none" : "one"));
  }
  auto known = std::make_shared<Known>();
  known->image = image_of(*fields.image, "image", limits, limits.channels);
  if (fields.mask) known->mask = image_of(*fields.mask, "mask", limits, 1);
  return known;
}

void require_form(const Fields& fields, const ServedModel& model) {
  const std::string size = std::to_string(model.width) + "x" + std::to_string(model.height);
  if (fields.size && *fields.size != size && *fields.size != "auto")
    fail("size: expected " + size + " or auto, received " + io::quote(*fields.size));
  if (fields.response_format && *fields.response_format != "b64_json") {
    fail("response_format: expected b64_json, received " + io::quote(*fields.response_format));
  }
}

}  // namespace
}  // namespace halfstep::http

template <>
struct halfstep::io::JsonField<halfstep::http::ClassName> {
  static std::string expected() { return "the number or the name of a class"; }

  static bool read(const nlohmann::json& json, halfstep::http::ClassName& value) {
    if (json.is_string()) {
      value = json.get<std::string>();
    } else if (json.is_number_integer()) {
      // A number above 2^63 wraps to a negative one, which is no class either.
      value = json.get<int64_t>();
    } else {
      return false;
    }
    return true;
  }
};

namespace halfstep::http {

ImageRequest parse_image_request(std::string_view body, const std::vector<ServedModel>& models,
                                 const std::function<uint64_t()>& random_seed) {
  Fields fields;
  io::fields_from_json(io::parse_json(body, kWhere), fields, kWhere);
  ImageRequest request{.model = model_of(fields.model, models)};
  const ServedModel& model = models[request.model];
  require_form(fields, model);
  request.format = fields.format.value_or(ImageFormat::png);
  const std::optional<int64_t> label = label_of(fields, model);
  const double guidance = guidance_of(fields.guidance, model);
  const std::shared_ptr<const Known> known = known_of(fields, model);
  for (const uint64_t seed : seeds_of(fields, random_seed)) {
    request.rows.push_back({.seed = seed, .label = label, .guidance = guidance, .known = known});
  }
  return request;
}

}  // namespace halfstep::http
