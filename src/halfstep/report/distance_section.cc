#include <algorithm>
#include <filesystem>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "halfstep/report/run_sections.h"
#include "halfstep/report/svg_chart.h"
#include "halfstep/report/words.h"

namespace halfstep::report {
namespace {

namespace fs = std::filesystem;
using metrics::EvaluationResult;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// Results that are comparable: same features, same reference, same number of images.
struct Comparable {
  EvaluationFile head;  // its own results are unused
  int64_t num = 0;
  std::string frechet_name;
  std::vector<EvaluationResult> results;

  bool fits(const EvaluationFile& other, const EvaluationResult& result) const {
    const auto key = [](const EvaluationFile& e, const std::string& name, int64_t images) {
      return std::tuple(e.features_sha256, e.reference, e.split, e.num_reference, name, images);
    };
    return key(head, frechet_name, num) == key(other, result.frechet_name, result.num);
  }
};

std::vector<Comparable> grouped_results(const std::vector<EvaluationFile>& evaluations) {
  std::vector<Comparable> groups;
  for (const EvaluationFile& evaluation : evaluations) {
    for (const EvaluationResult& result : evaluation.results) {
      auto group = std::ranges::find_if(
          groups, [&](const Comparable& other) { return other.fits(evaluation, result); });
      if (group == groups.end()) {
        group = groups.insert(groups.end(), {.head = evaluation,
                                             .num = result.num,
                                             .frechet_name = result.frechet_name,
                                             .results = {}});
      }
      group->results.push_back(result);
    }
  }
  return groups;
}

// Returns the folder of a model that was given as that folder or as the file in it; otherwise the
// path itself.
fs::path model_path(const std::string& samples) {
  const fs::path path = fs::path(samples).lexically_normal();
  const fs::path name = path.filename();
  const bool inside = name.empty() || name == "model.safetensors" || name == "model.pt";
  return inside ? path.parent_path() : path;
}

bool is_student_at_its_steps(const EvaluationResult& result) {
  return result.made_for_steps.value_or(0) > 0 && result.steps == result.made_for_steps;
}

// A line of the chart: the students of one run, each with its own number of steps, or one model
// with several; always with one sampler and one spacing.
struct Curve {
  fs::path subject;  // folder of the run or of the model
  std::string sampler;
  std::string spacing;
  bool students = false;
  std::vector<ChartPoint> points;

  auto key() const { return std::tie(students, subject, sampler, spacing); }
};

// Returns the name of the value; empty if there is none.
template <NamedEnum E>
std::string name_or_empty(const std::optional<E>& value) {
  return value ? std::string(name_of(*value)) : std::string();
}

// Returns the sampler with its variance and guidance.
std::string sampler_description(const EvaluationResult& result) {
  std::string words = name_or_empty(result.sampler);
  if (result.variance) words += ", variance " + rounded(*result.variance);
  if (result.guidance) words += ", guidance " + rounded(*result.guidance);
  return words;
}

std::string note_of(const EvaluationResult& result, const std::string& distance) {
  return model_path(result.samples).filename().string() + ", " +
         counted(result.steps.value_or(0), "step") + ", " +
         counted(*result.evaluations, "evaluation") + ": " + distance + " " +
         rounded(result.frechet.value_or(kNone));
}

std::vector<Curve> curves_of(const Comparable& group) {
  std::vector<Curve> curves;
  for (const EvaluationResult& result : group.results) {
    if (!result.evaluations || !result.frechet) continue;
    Curve curve{.subject = model_path(result.samples),
                .sampler = sampler_description(result),
                .spacing = name_or_empty(result.spacing),
                .students = is_student_at_its_steps(result)};
    if (curve.students) curve.subject = curve.subject.parent_path();
    auto found = std::ranges::find_if(
        curves, [&](const Curve& other) { return other.key() == curve.key(); });
    if (found == curves.end()) found = curves.insert(curves.end(), curve);
    found->points.push_back({.x = static_cast<double>(*result.evaluations),
                             .y = *result.frechet,
                             .note = note_of(result, group.frechet_name)});
  }
  for (Curve& curve : curves) std::ranges::stable_sort(curve.points, {}, &ChartPoint::x);
  std::stable_partition(curves.begin(), curves.end(),
                        [](const Curve& curve) { return curve.students; });
  return curves;
}

// Returns names for the legend, no longer than needed to tell the curves apart.
std::vector<std::string> names_of(const std::vector<Curve>& curves) {
  std::set<std::string> spacings;
  std::set<fs::path> runs;
  for (const Curve& curve : curves) {
    spacings.insert(curve.spacing);
    if (curve.students) runs.insert(curve.subject);
  }
  std::vector<std::string> names;
  for (const Curve& curve : curves) {
    std::string name = curve.students ? "distilled" : curve.subject.stem().string();
    if (curve.students && runs.size() > 1) name += ", " + curve.subject.filename().string();
    if (!curve.sampler.empty()) name += ", " + curve.sampler;
    if (spacings.size() > 1 && !curve.spacing.empty()) name += ", " + curve.spacing;
    names.push_back(std::move(name));
  }
  return names;
}

Html chart_of(const Comparable& group) {
  const std::vector<Curve> curves = curves_of(group);
  if (curves.empty()) return {};
  Chart chart{.description = group.frechet_name + " over network evaluations",
              .x = {.title = "network evaluations per image", .scale = Scale::log2},
              .y = {.title = group.frechet_name + ", lower is better", .scale = Scale::log10}};
  const std::vector<std::string> names = names_of(curves);
  Html legend;
  for (size_t i = 0; i < curves.size(); ++i) {
    const auto colour = static_cast<int>(i);
    chart.series.push_back(
        {.points = curves[i].points, .mark = Mark::line_with_points, .colour = colour});
    legend += element("li", legend_key(colour) + text(names[i]));
  }
  // Drawn in two sizes, because the text of the wide chart would be too small on a phone.
  Chart narrow = chart;
  chart.width = 760;
  chart.height = 400;
  narrow.width = 400;
  narrow.height = 320;
  return element("figure", element("ul", {{"class", "legend"}}, legend) +
                               element("div", {{"class", "wide"}}, to_html(chart)) +
                               element("div", {{"class", "narrow"}}, to_html(narrow)));
}

// Lets the browser break a long path after a slash.
Html breakable_path(const std::string& path) {
  Html words;
  size_t begin = 0;
  for (size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', begin)) {
    words += text(path.substr(begin, slash + 1 - begin)) + void_element("wbr", {});
    begin = slash + 1;
  }
  return element("code", words + text(path.substr(begin)));
}

Html shown(const std::optional<double>& value) {
  return value ? number(*value, rounded(*value)) : text("\u2013");
}

Html with_deviation(const std::optional<double>& value, const std::optional<double>& deviation) {
  if (!value || !deviation) return shown(value);
  return shown(value) + text(" \u00b1 ") + shown(deviation);
}

Html whole(const std::optional<int64_t>& value) { return text(value ? grouped(*value) : "\u2013"); }

// A column of the table. It is omitted if no result has a value for it.
struct ResultColumn {
  Table::Column column;
  std::function<bool(const EvaluationResult&)> has;
  std::function<Html(const EvaluationResult&)> cell;
};

std::vector<ResultColumn> result_columns(const std::string& frechet_name) {
  using Result = EvaluationResult;
  const auto word = [](const char* title, auto member) {
    return ResultColumn{
        {title},
        [=](const Result& r) { return (r.*member).has_value(); },
        [=](const Result& r) { return text(r.*member ? name_or_empty(r.*member) : "\u2013"); }};
  };
  const auto count = [](const char* title, std::optional<int64_t> Result::*member) {
    return ResultColumn{{title, true},
                        [=](const Result& r) { return (r.*member).has_value(); },
                        [=](const Result& r) { return whole(r.*member); }};
  };
  const auto real = [](const std::string& title, std::optional<double> Result::*member,
                       std::optional<double> Result::*deviation) {
    return ResultColumn{{title, true},
                        [=](const Result& r) { return (r.*member).has_value(); },
                        [=](const Result& r) {
                          return deviation ? with_deviation(r.*member, r.*deviation)
                                           : shown(r.*member);
                        }};
  };
  return {{{"samples"},
           [](const Result&) { return true; },
           [](const Result& r) { return breakable_path(r.samples); }},
          word("sampler", &Result::sampler),
          count("steps", &Result::steps),
          count("evaluations", &Result::evaluations),
          real(frechet_name, &Result::frechet, nullptr),
          real("KID", &Result::kid, &Result::kid_std),
          real("Inception Score", &Result::inception_score, &Result::inception_score_std),
          real("precision", &Result::precision, nullptr),
          real("recall", &Result::recall, nullptr),
          real("agreement", &Result::agreement, nullptr),
          word("spacing", &Result::spacing),
          real("variance", &Result::variance, nullptr),
          real("guidance", &Result::guidance, nullptr),
          {{"distilled for", true},
           [](const Result& r) { return r.made_for_steps.value_or(0) > 0; },
           [](const Result& r) {
             const int64_t steps = r.made_for_steps.value_or(0);
             return text(steps > 0 ? std::to_string(steps) : "\u2013");
           }},
          count("chosen from", &Result::chosen_from),
          {{"first seed", true},
           [](const Result& r) { return r.first_seed.has_value(); },
           [](const Result& r) {
             return text(r.first_seed ? std::to_string(*r.first_seed) : "\u2013");
           }},
          {{"time", true},
           [](const Result& r) { return r.seconds.has_value(); },
           [](const Result& r) {
             return r.seconds ? number(*r.seconds, duration(*r.seconds)) : text("\u2013");
           }}};
}

Html table_of(const Comparable& group) {
  Table table;
  table.rows.resize(group.results.size());
  for (const ResultColumn& column : result_columns(group.frechet_name)) {
    if (!std::ranges::any_of(group.results, column.has)) continue;
    table.columns.push_back(column.column);
    for (size_t r = 0; r < group.results.size(); ++r)
      table.rows[r].push_back(column.cell(group.results[r]));
  }
  return to_html(table);
}

std::string description_of(const Comparable& group) {
  const EvaluationFile& head = group.head;
  const std::string images =
      head.num_reference > 0 ? counted(head.num_reference, "image") + " of " : std::string();
  return counted(group.num, "image") + " per row, compared with " + images + head.reference +
         (head.split.empty() ? "" : " (" + head.split + ")") + " on the " +
         grouped(head.num_features) + " features of " + head.features + " (SHA-256 " +
         head.features_sha256.substr(0, 12) + ") by halfstep " + head.version + ".";
}

}  // namespace

Html distance_section(const std::vector<EvaluationFile>& evaluations) {
  if (evaluations.empty()) return {};
  Html content;
  for (const Comparable& group : grouped_results(evaluations)) {
    content += element("p", description_of(group)) + chart_of(group) + table_of(group);
  }
  if (content.markup.empty()) content = element("p", "The evaluation has no results.");
  return section("Distance to the data", content);
}

}  // namespace halfstep::report
