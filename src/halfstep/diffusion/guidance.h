#ifndef HALFSTEP_DIFFUSION_GUIDANCE_H_
#define HALFSTEP_DIFFUSION_GUIDANCE_H_

#include <optional>
#include <string>
#include <string_view>

#include "halfstep/diffusion/denoiser.h"

namespace halfstep {

// Classifier-free guidance (Ho & Salimans 2022) by two calls of the network, one with the labels
// and the image that it is conditioned on (kConditionImage), one without:
//
//   raw = raw_null + w (raw_cond - raw_null)
//
// w = 1 turns guidance off and returns `raw` itself, which costs one call; w = 0 ignores the
// condition. In the paper's convention, (1 + w') raw_cond - w' raw_null, w' is w - 1 and 0 turns
// guidance off. Without labels and image there is nothing to guide: one call, whatever w is.
RawOutput guided(RawOutput raw, double w);

// The same with the weight of each example, condition.guidance [B], which `raw` itself is not given
// and which must be there. Always two calls, unless there is no condition.
RawOutput guided_by_condition(RawOutput raw);

// The weights that a guided model is distilled for: one, "2", or a range, "1-5".
struct GuidanceRange {
  double min = 1.0;  // from 0 to 100
  double max = 1.0;  // from min to 100

  // Whether there is guidance at all.
  bool is_on() const { return min != 1.0 || max != 1.0; }
  bool is_fixed() const { return min == max; }

  // Returns the range as of() accepts it.
  std::string text() const;
  // Parses a weight or a range; nullopt for any other text.
  static std::optional<GuidanceRange> of(std::string_view text);

  // What of() accepts, for messages, and its name in --help.
  static constexpr const char* kSyntax = "a guidance weight from 0 to 100 (2) or a range (1-5)";
  static constexpr const char* kTypeName = "W|MIN-MAX";

  bool operator==(const GuidanceRange&) const = default;
};

// Returns the shortest text of a weight: "2", "1.5".
std::string text_of_guidance(double w);

}  // namespace halfstep

#endif  // HALFSTEP_DIFFUSION_GUIDANCE_H_
