#include "halfstep/http/answers.h"

#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>
#include <string_view>

#include "halfstep/io/base64.h"
#include "halfstep/io/image.h"

namespace halfstep::http {
namespace {

using nlohmann::json;

// Rounds to microseconds, which is shorter.
double rounded(double seconds) { return std::round(seconds * 1e6) / 1e6; }

std::string encoded(const io::Image& image, ImageFormat format) {
  const std::vector<std::byte> bytes =
      format == ImageFormat::webp ? io::encode_webp(image) : io::encode_png(image);
  return io::base64({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

json class_json(const ServedModel& model, int64_t label) {
  if (label == kNoClass || !model.class_names.empty()) return model.class_name(label);
  return label;
}

}  // namespace

Answer json_answer(int status, const json& body) {
  return {.status = status,
          .body = body.dump(-1, ' ', false, json::error_handler_t::replace) + "\n"};
}

Answer error_answer(int status, const std::string& message) {
  return {.status = status, .body = error_body(status, message)};
}

json to_json(const ServedModel& model, int64_t created) {
  json guidance = {
      {"default", model.guidance.value}, {"min", model.guidance.min}, {"max", model.guidance.max}};
  json classes = json::array();
  for (int64_t k = 0; model.has_classes() && k < model.num_classes; ++k)
    classes.push_back(class_json(model, k));
  json input = nullptr;
  if (model.input) {
    input = {
        {"condition", model.input->condition},
        {"size", std::to_string(model.input->width) + "x" + std::to_string(model.input->height)},
        {"channels", model.input->channels},
        {"mask", model.input->takes_mask}};
  }
  return {{"id", model.id},
          {"object", "model"},
          {"created", created},
          {"owned_by", "halfstep"},
          {"sha256", model.sha256},
          {"steps", model.steps},
          {"distilled", model.distilled},
          {"size", std::to_string(model.width) + "x" + std::to_string(model.height)},
          {"channels", model.channels},
          {"classes", std::move(classes)},
          {"null_class", model.has_null_class},
          {"input", std::move(input)},
          {"guidance", model.guidance.is_fixed() ? json(nullptr) : std::move(guidance)}};
}

json to_json(const std::string& id, const ServedModel& model, const Job& job,
             const JobStatus& status) {
  json body = {{"id", id},
               {"object", "job"},
               {"model", model.id},
               {"state", name_of(status.state)},
               {"n", job.rows().size()},
               {"images", status.images},
               {"steps", model.steps}};
  if (status.state == JobState::queued) body["position"] = status.position;
  if (status.state == JobState::running) body["step"] = status.step;
  if (status.state == JobState::failed) body["error"] = status.error;
  return body;
}

json images_json(const ServedModel& model, const Job& job, const JobStatus& status,
                 ImageFormat format) {
  json data = json::array();
  for (std::size_t i = 0; i < job.rows().size(); ++i) {
    const Drawn& drawn = job.images()[i];
    json image = {{"b64_json", encoded(drawn.image, format)},
                  {"seed", job.rows()[i].seed},
                  {"steps", model.steps},
                  {"model_sha256", model.sha256}};
    if (drawn.label) image["class"] = class_json(model, *drawn.label);
    if (!model.guidance.is_fixed()) image["guidance"] = job.rows()[i].guidance;
    data.push_back(std::move(image));
  }
  return {{"created", std::time(nullptr)},
          {"model", model.id},
          {"format", name_of(format)},
          {"queued_seconds", rounded(status.queued_seconds)},
          {"drawing_seconds", rounded(status.drawing_seconds)},
          {"data", std::move(data)}};
}

}  // namespace halfstep::http
