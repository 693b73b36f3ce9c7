#include "cli/work_ahead.h"

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "halfstep/io/array.h"

namespace halfstep::cli {
namespace {

std::string line(const char* name, const std::string& value) {
  std::array<char, 32> label{};
  std::snprintf(label.data(), label.size(), "%-12s", name);
  return label.data() + value + "\n";
}

std::string number(double value, const char* unit) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.4g %s", value, unit);
  return text.data();
}

constexpr double kMib = 1024.0 * 1024.0;

}  // namespace

std::string describe_work(const RunOptions& options, const data::DatasetInfo& data,
                          const Forecast& forecast) {
  std::string text = "options     " + to_json(options).dump(2) + "\n";
  text += line("data", data.name + " (" + data.format + "): " + std::to_string(data.size) +
                           (data.holds_images() ? " images" : " examples") + " of shape " +
                           io::to_string(data.shape()) + ", " + std::to_string(data.num_classes) +
                           " classes");
  text += line("parameters", std::to_string(forecast.parameters));
  text += line(
      "memory",
      "about " +
          number(forecast.memory / kMib, "MiB in addition to the program and its libraries") +
          (forecast.flops ? ""
                          : ", and the activations that the network keeps for the backward pass"));
  text += line("stages", describe(forecast.stages));
  text += line("work",
               number(static_cast<double>(forecast.updates), "updates, ") +
                   number(static_cast<double>(forecast.images), "images") +
                   (forecast.flops
                        ? ", " +
                              number(*forecast.flops / static_cast<double>(forecast.updates) / 1e9,
                                     "GFLOP per update, ") +
                              number(*forecast.flops / 1e15, "PFLOP in total")
                        : ""));
  text += line("disk", "about " + number(forecast.disk / kMib, "MiB"));
  text += line("time", "about " + duration_text(forecast.seconds) +
                           ", estimated from the time of single updates on this machine");
  return text;
}

}  // namespace halfstep::cli
