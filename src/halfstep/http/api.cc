#include "halfstep/http/api.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>
#include <random>
#include <span>
#include <string_view>
#include <utility>
#include <variant>

#include "halfstep/core/error.h"
#include "halfstep/core/version.h"
#include "halfstep/http/answers.h"
#include "halfstep/http/page.h"
#include "halfstep/io/hash.h"

namespace halfstep::http {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kJobs = "/v1/jobs/";

std::string hash_of(std::string_view text) {
  return io::sha256_hex(std::as_bytes(std::span(text)));
}

// Compares hashes in a time that does not depend on where they differ.
bool same_hash(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned char difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  return difference == 0;
}

// A seed for requests without one. It is short enough for every reader of JSON.
uint64_t random_seed() { return std::random_device()(); }

// Whether a page of another site sent the request.
bool is_of_another_site(const Request& request) {
  if (request.origin.empty()) return false;
  const std::size_t scheme = request.origin.find("://");
  return scheme == std::string::npos || request.origin.substr(scheme + 3) != request.host;
}

Answer wrong_method(const std::string& allowed) {
  Answer answer = error_answer(405, "method: expected " + allowed);
  answer.headers.emplace_back("Allow", allowed);
  return answer;
}

Answer page_answer() {
  return {.body = std::string(kPage),
          .type = "text/html; charset=utf-8",
          .headers = {{"Content-Security-Policy",
                       "default-src 'none'; img-src data: blob:; connect-src 'self'; style-src "
                       "'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; "
                       "form-action 'none'; frame-ancestors 'none'"},
                      {"Referrer-Policy", "no-referrer"},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Cache-Control", "no-cache"}}};
}

}  // namespace

Api::Api(const std::vector<ServedModel>& models, Batcher& batcher, Metrics& metrics,
         const std::optional<std::string>& api_key)
    : models_(models),
      batcher_(batcher),
      metrics_(metrics),
      key_hash_(api_key ? std::optional(hash_of("Bearer " + *api_key)) : std::nullopt),
      created_(std::time(nullptr)),
      jobs_(batcher) {}

Answer Api::handle(const Request& request) {
  const auto begin = std::chrono::steady_clock::now();
  std::string name = "other";
  Answer answer;
  try {
    answer = route(request, name);
  } catch (const UnknownModelError& error) {
    answer = error_answer(404, std::string(error.text()));
  } catch (const FormatError& error) {
    answer = error_answer(400, std::string(error.text()));
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  metrics_.count_request(name, answer.status, seconds.count());
  return answer;
}

// Sets `name` to the name of the route, for the metrics.
Answer Api::route(const Request& request, std::string& name) {
  const auto is = [&](std::string_view path, const char* route) {
    if (request.path != path) return false;
    name = route;
    return true;
  };
  const bool get = request.method == "GET";
  if (is("/", "page")) return get ? page_answer() : wrong_method("GET");
  if (is("/health", "health")) return get ? health() : wrong_method("GET");
  if (!is_authorized(request)) {
    Answer answer = error_answer(401, "expected the header Authorization: Bearer KEY");
    answer.headers.emplace_back("WWW-Authenticate", "Bearer");
    return answer;
  }
  if (is_of_another_site(request))
    return error_answer(403, "Origin: expected a page of this server, received another");
  const bool post = request.method == "POST";
  if (is("/metrics", "metrics")) {
    if (!get) return wrong_method("GET");
    return {.body = metrics_.text(batcher_.waiting()), .type = "text/plain; version=0.0.4"};
  }
  if (is("/v1/models", "models")) return get ? list_models() : wrong_method("GET");
  if (is("/v1/images/generations", "generations"))
    return post ? generate(request) : wrong_method("POST");
  if (is("/v1/jobs", "jobs")) return post ? create_job(request) : wrong_method("POST");
  if (request.path.starts_with(kJobs)) {
    name = "job";
    const std::string id = request.path.substr(kJobs.size());
    if (get) return show_job(id);
    return request.method == "DELETE" ? cancel_job(id) : wrong_method("GET, DELETE");
  }
  return error_answer(404, "expected a path of docs/serve.md, received another");
}

std::variant<std::shared_ptr<Job>, Answer> Api::submit(const ImageRequest& request) {
  if (stopping_) return error_answer(503, "the server is stopping");
  auto submitted = batcher_.submit(request.model, request.rows);
  if (auto* job = std::get_if<std::shared_ptr<Job>>(&submitted)) return std::move(*job);
  if (std::get<Refusal>(submitted) == Refusal::stopping)
    return error_answer(503, "the server is stopping");
  const double wait = std::clamp(std::ceil(batcher_.expected_wait_seconds()), 1.0, 60.0);
  Answer answer = error_answer(429, "the queue is full");
  answer.headers.emplace_back("Retry-After", std::to_string(static_cast<int>(wait)));
  return answer;
}

Answer Api::generate(const Request& request) {
  constexpr milliseconds kLook{50};  // how often to look whether the client is still there
  const ImageRequest wanted = parse_image_request(request.body, models_, random_seed);
  const ServedModel& model = models_[wanted.model];
  auto submitted = submit(wanted);
  if (auto* refusal = std::get_if<Answer>(&submitted)) return std::move(*refusal);
  const auto job = std::get<std::shared_ptr<Job>>(submitted);
  JobStatus status = batcher_.wait_for(*job, kLook);
  while (!status.is_finished()) {
    if (request.client_is_gone()) batcher_.cancel(job);
    status = batcher_.wait_for(*job, kLook);
  }
  Answer answer;
  if (status.state == JobState::done) {
    answer = json_answer(200, images_json(model, *job, status, wanted.format));
    answer.images = status.images;
  } else if (status.state == JobState::failed) {
    answer = error_answer(500, status.error);
  } else {
    answer = request.client_is_gone() ? Answer{.status = kClientGone}
                                      : error_answer(503, "the server is stopping");
  }
  answer.model = model.id;
  return answer;
}

Answer Api::create_job(const Request& request) {
  const ImageRequest wanted = parse_image_request(request.body, models_, random_seed);
  auto submitted = submit(wanted);
  if (auto* refusal = std::get_if<Answer>(&submitted)) return std::move(*refusal);
  const auto job = std::get<std::shared_ptr<Job>>(submitted);
  const ServedModel& model = models_[wanted.model];
  const std::string id = jobs_.add({.job = job, .format = wanted.format});
  Answer answer = json_answer(202, to_json(id, model, *job, batcher_.status(*job)));
  answer.model = model.id;
  answer.headers.emplace_back("Location", std::string(kJobs) + id);
  return answer;
}

Answer Api::show_job(const std::string& id) {
  const std::optional<StoredJob> stored = jobs_.find(id);
  if (!stored) return error_answer(404, "id: expected a job of this server, received another");
  const Job& job = *stored->job;
  const ServedModel& model = models_[job.model()];
  const JobStatus status = batcher_.status(job);
  nlohmann::json body = to_json(id, model, job, status);
  if (status.state == JobState::done) {
    const nlohmann::json images = images_json(model, job, status, stored->format);
    body.update(images);
  }
  Answer answer = json_answer(200, body);
  answer.model = model.id;
  answer.images = status.state == JobState::done ? status.images : 0;
  return answer;
}

Answer Api::cancel_job(const std::string& id) {
  const std::optional<StoredJob> stored = jobs_.find(id);
  if (!stored) return error_answer(404, "id: expected a job of this server, received another");
  batcher_.cancel(stored->job);
  const Job& job = *stored->job;
  return json_answer(200, to_json(id, models_[job.model()], job, batcher_.status(job)));
}

Answer Api::list_models() const {
  nlohmann::json data = nlohmann::json::array();
  for (const ServedModel& model : models_) data.push_back(to_json(model, created_));
  return json_answer(200, {{"object", "list"}, {"data", std::move(data)}});
}

Answer Api::health() const {
  return json_answer(stopping_ ? 503 : 200, {{"status", stopping_ ? "stopping" : "ok"},
                                             {"version", version()},
                                             {"models", models_.size()},
                                             {"waiting", batcher_.waiting()}});
}

bool Api::is_authorized(const Request& request) const {
  return !key_hash_ || same_hash(hash_of(request.authorization), *key_hash_);
}

}  // namespace halfstep::http
