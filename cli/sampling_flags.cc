#include "cli/sampling_flags.h"

#include <charconv>

#include "cli/help.h"
#include "cli/load_model.h"
#include "cli/values.h"
#include "halfstep/core/error.h"
#include "halfstep/core/listed.h"
#include "halfstep/core/spelling.h"
#include "halfstep/io/quote.h"

namespace halfstep::cli {
namespace {

// Parses --class: the number or the name of a class, or "none" for the null label.
int64_t parse_class(const std::string& text, const ModelSpec& spec) {
  if (text == "none") return kNullLabel;
  for (size_t k = 0; k < spec.class_names.size(); ++k) {
    if (spec.class_names[k] == text) return static_cast<int64_t>(k);
  }
  if (!text.empty() && text.size() < 10 &&
      text.find_first_not_of("0123456789") == std::string::npos) {
    return std::stoll(text);
  }
  if (num_classes(spec.network) < 2) {
    throw ConfigError("--class",
                      "expected none, because this model has no classes (train it with "
                      "--conditional for some), received " +
                          io::quote(text));
  }
  const std::string known =
      spec.class_names.empty() ? "" : " (" + listed(spec.class_names, /*most=*/20) + ")";
  throw ConfigError("--class", "expected none, a number below " +
                                   std::to_string(num_classes(spec.network)) +
                                   " or the name of a class" + known + ", received " +
                                   io::quote(text) + did_you_mean(text, spec.class_names));
}

}  // namespace

double parse_variance(const std::string& text) {
  if (text == "small") return 0.0;
  if (text == "large") return 1.0;
  double fraction = -1.0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, fraction);
  if (error != std::errc() || stop != end || !(fraction >= 0.0 && fraction <= 1.0)) {
    throw ConfigError("--variance",
                      "expected small, large or a fraction in [0, 1], received " + text);
  }
  return fraction;
}

void SamplingFlags::add_to(CLI::App& command) {
  command.option_defaults()->group(kSamplingGroup);
  offer(add_value(command, "--class", class_name_,
                  "Class number or name, or none for no class (default: a random class per seed)")
            ->type_name("CLASS"),
        {"none"});
  add_value(
      command, "--guidance", options_.guidance,
      "Classifier-free guidance weight; 1 is off, other values double the NFE, except for a "
      "model that was distilled with guidance (default: 1, or the nearest that the model takes)");
  command.add_flag("--no-clip", no_clip_, "Do not clip predictions of x to [-1, 1]");
  command.add_flag("--force-steps", options_.force_steps,
                   "Allow --steps and --spacing that a distilled model was not trained for");
  command.option_defaults()->group(kComputeGroup);
  add_value(command, "--batch", options_.batch, "Images per forward pass");
  offer(add_value(command, "--precision", precision_, kPrecisionHelp + words_of<PrecisionChoice>())
            ->type_name("NAME"),
        names_of<PrecisionChoice>());
}

PrecisionChoice SamplingFlags::precision() const {
  return enum_of<PrecisionChoice>(precision_, "--precision");
}

Model SamplingFlags::load(const std::filesystem::path& path, const c10::Device& device) const {
  return load_model(path, {.device = device, .precision = precision()});
}

GenerateOptions SamplingFlags::options_for(const ModelSpec& spec) const {
  GenerateOptions options = options_;
  options.clip_x = !no_clip_;
  if (class_name_) options.class_label = parse_class(*class_name_, spec);
  return options;
}

}  // namespace halfstep::cli
