// What the server knows of a model. The server draws nothing itself: each model brings a function.
#ifndef HALFSTEP_HTTP_SERVED_MODEL_H_
#define HALFSTEP_HTTP_SERVED_MODEL_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "halfstep/io/image.h"

namespace halfstep::http {

inline constexpr int64_t kNoClass = -1;  // the null class, as kNullLabel

// What a model that restores images is given of one.
struct Known {
  io::Image image;
  std::optional<io::Image> mask = std::nullopt;  // grey; white pixels are filled in
};

// One image to draw.
struct Row {
  uint64_t seed = 0;
  std::optional<int64_t> label = std::nullopt;  // a class or kNoClass; none: the seed's own class
  double guidance = 1.0;                        // the guidance weight w; 1 = off
  std::shared_ptr<const Known> known = {};      // of a model that restores images

  bool operator==(const Row&) const = default;
};

struct Drawn {
  io::Image image;
  std::optional<int64_t> label = std::nullopt;  // none: the model has no classes
};

// Called before step 1, 2, ..., N of a batch. Returns whether to go on.
using OnStep = std::function<bool(int64_t step)>;

// Draws the rows as one batch, in their order; nullopt if `on_step` ended it. Called by one thread
// at a time. May throw.
using Draw = std::function<std::optional<std::vector<Drawn>>(std::span<const Row> rows,
                                                             const OnStep& on_step)>;

// The guidance weights that a model takes.
struct GuidanceLimits {
  double min = 1.0;
  double max = 1.0;
  double value = 1.0;  // where a request gives none
  // A batch with weights other than 1 takes two network calls per step, one with 1 takes one. Such
  // rows are not mixed.
  bool doubles_calls = false;

  bool is_fixed() const { return min == max; }
};

// The images that a model restores.
struct InputLimits {
  std::string condition;  // "super-resolution:4", "inpainting" or "colour"
  int width = 0;
  int height = 0;
  int channels = 0;
  bool takes_mask = false;  // of the same size
};

struct ServedModel {
  std::string id;  // its name in requests
  std::string sha256;
  int64_t steps = 0;
  bool distilled = false;
  int width = 0;
  int height = 0;
  int channels = 0;
  int64_t num_classes = 0;  // below 2: the model has no classes
  bool has_null_class = false;
  std::vector<std::string> class_names;  // one per class, or empty
  GuidanceLimits guidance;
  std::optional<InputLimits> input = std::nullopt;  // of a model that restores images
  Draw draw;

  bool has_classes() const { return num_classes > 1; }
  // Returns the name of a class, or its number where classes have no names; "none" for kNoClass.
  std::string class_name(int64_t label) const;
};

}  // namespace halfstep::http

#endif  // HALFSTEP_HTTP_SERVED_MODEL_H_
