// The JSON that answers requests.
#ifndef HALFSTEP_HTTP_ANSWERS_H_
#define HALFSTEP_HTTP_ANSWERS_H_

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "halfstep/http/batcher.h"
#include "halfstep/http/exchange.h"
#include "halfstep/http/image_request.h"
#include "halfstep/http/served_model.h"

namespace halfstep::http {

Answer json_answer(int status, const nlohmann::json& body);
Answer error_answer(int status, const std::string& message);

// Describes a model for /v1/models. `created` is Unix time.
nlohmann::json to_json(const ServedModel& model, int64_t created);

// Describes a job for /v1/jobs, without its images.
nlohmann::json to_json(const std::string& id, const ServedModel& model, const Job& job,
                       const JobStatus& status);

// Returns `created` (now), `data` with the images of a job that is done, and the seconds they took.
nlohmann::json images_json(const ServedModel& model, const Job& job, const JobStatus& status,
                           ImageFormat format);

}  // namespace halfstep::http

#endif  // HALFSTEP_HTTP_ANSWERS_H_
