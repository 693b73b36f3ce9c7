#include <string>
#include <utility>
#include <vector>

#include "halfstep/report/curves.h"
#include "halfstep/report/run_sections.h"
#include "halfstep/report/words.h"

namespace halfstep::report {
namespace {

Html legend_of(const std::vector<std::pair<int, std::string>>& names) {
  Html items;
  for (const auto& [colour, name] : names) items += element("li", legend_key(colour) + text(name));
  return element("ul", {{"class", "legend"}}, items);
}

// The evaluations of a stage in a sentence: which update is kept, and at what cost.
std::string sentence_of(const StageFacts& stage, const Quality& last) {
  int64_t count = 0;
  double seconds = 0.0;
  for (const StatsLine& line : stage.lines) {
    if (!line.quality) continue;
    ++count;
    seconds += line.quality->seconds;
  }
  std::string words = counted(count, "evaluation") + " in " + duration(seconds) + ".";
  if (last.best_distance) {
    words += " The model of update " + grouped(last.best_update) + " is " +
             (stage.finished ? "kept" : "the best so far") + ": " + last.distance_name + " " +
             rounded(*last.best_distance) + ".";
  }
  return words;
}

Html figure(const std::string& caption, const Html& content) {
  return element("figure", element("figcaption", caption) + content) + Html{"\n"};
}

}  // namespace

Html quality_section(const RunFacts& facts) {
  Html charts;
  Html words;
  for (const StageFacts& stage : facts.stages) {
    const Quality* const last = last_quality(stage);
    if (!last) continue;
    charts += figure(stage.stage.name + ": distance", to_html(distance_chart(stage)));
    charts += figure(stage.stage.name + ": pixels", to_html(pixel_chart(stage)));
    words += element("p", stage.stage.name + ": " + sentence_of(stage, *last));
  }
  if (charts.markup.empty()) return {};
  return section("Quality while training",
                 element("p", counted(facts.options.update.evaluate_num, "sample") +
                                  " of the same seeds at every evaluation, against the data. "
                                  "Faint lines in the charts of the pixels: the data.") +
                     words + legend_of({{0, "mean of the pixels"}, {1, "deviation"}}) +
                     element("div", {{"class", "charts"}}, Html{"\n"} + charts));
}

}  // namespace halfstep::report
