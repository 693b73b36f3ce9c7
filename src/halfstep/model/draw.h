// Sampling of examples that differ in class and guidance, as one batch.
#ifndef HALFSTEP_MODEL_DRAW_H_
#define HALFSTEP_MODEL_DRAW_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "halfstep/model/generate.h"
#include "halfstep/model/model.h"

namespace halfstep {

// One example.
struct Draw {
  uint64_t seed = 0;
  std::optional<int64_t> class_label = std::nullopt;  // as GenerateOptions::class_label
  std::optional<double> guidance = std::nullopt;      // as GenerateOptions::guidance
  KnownImages known = {};  // of this image, if the model restores images; all have one size
};

// Called before step 1, 2, ..., N. Returns whether to go on.
using OnStep = std::function<bool(int64_t step)>;

// Draws one batch of all examples, whatever options.batch is; nullopt if `on_step` ended it. An
// example is what generate() draws with its class and guidance in a batch of the same size, up to
// the rounding of guidance: if the weights differ and the model takes two calls, all take two.
// options.class_label, class_labels, guidance and known are not used. May be called from several
// threads. Throws as generate does.
std::optional<Samples> draw(const Model& model, const std::vector<Draw>& examples,
                            const GenerateOptions& options, const OnStep& on_step = {});

}  // namespace halfstep

#endif  // HALFSTEP_MODEL_DRAW_H_
