#include "cli/evaluation_line.h"

#include <array>
#include <cstdio>
#include <optional>

#include "halfstep/core/error.h"

namespace halfstep::cli {
namespace {

// Returns "  name value +- deviation"; empty without a value.
std::string pair(const std::string& name, std::optional<double> value,
                 std::optional<double> deviation = std::nullopt) {
  if (!value) return "";
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "  %s %.5g", name.c_str(), *value);
  std::string line = text.data();
  if (!deviation) return line;
  std::snprintf(text.data(), text.size(), " +- %.2g", *deviation);
  return line + text.data();
}

}  // namespace

std::string evaluation_line(const metrics::EvaluationResult& result) {
  std::string line = one_line(result.samples);
  if (result.sampler) {
    line += "  " + std::string(name_of(*result.sampler)) + "/" +
            std::string(name_of(*result.spacing)) + "  steps " + std::to_string(*result.steps) +
            "  calls " + std::to_string(*result.evaluations);
  }
  line += pair("variance", result.variance);
  line += "  n " + std::to_string(result.num);
  if (result.chosen_from) line += " of " + std::to_string(*result.chosen_from) + " at random";
  line += pair(one_line(result.frechet_name), result.frechet);
  line += pair("KID", result.kid, result.kid_std);
  line += pair("IS", result.inception_score, result.inception_score_std);
  line += pair("precision", result.precision);
  line += pair("recall", result.recall);
  line += pair("agreement", result.agreement);
  line += pair("PSNR", result.psnr);
  line += pair("SSIM", result.ssim);
  line += pair("feature distance", result.feature_distance);
  return line;
}

}  // namespace halfstep::cli
