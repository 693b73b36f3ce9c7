// A model as the HTTP server draws it (http/server.h).
#ifndef HALFSTEP_SERVE_SERVED_MODEL_H_
#define HALFSTEP_SERVE_SERVED_MODEL_H_

#include <cstdint>
#include <optional>
#include <string>

#include "halfstep/http/served_model.h"
#include "halfstep/model/model.h"

namespace halfstep {

struct ServingOptions {
  std::optional<int64_t> teacher_steps = std::nullopt;  // of a model that is not distilled
  // Draws batches of this size always, filled with images that nobody gets, so that an image does
  // not depend on how many others are drawn with it. None: as many images as there are.
  std::optional<int64_t> fixed_batch = std::nullopt;
};

// Returns what the server needs of a model: `id` is its name in requests. Throws ConfigError for a
// model of other data than images with 1 or 3 channels, and for a teacher without a number of
// steps.
http::ServedModel served_model(const std::string& id, const Model& model,
                               const ServingOptions& options = {});

}  // namespace halfstep

#endif  // HALFSTEP_SERVE_SERVED_MODEL_H_
