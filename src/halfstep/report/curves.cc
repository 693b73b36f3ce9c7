#include "halfstep/report/curves.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "halfstep/report/words.h"

namespace halfstep::report {
namespace {

constexpr size_t kMaxPoints = 600;  // more than a chart has pixels
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// Returns the raw values as a faint line, and the smoothed ones as a line over it.
std::vector<Series> raw_and_smooth(const std::vector<double>& x, const std::vector<double>& y) {
  std::vector<ChartPoint> raw_points;
  for (size_t i = 0; i < x.size(); ++i) raw_points.push_back({.x = x[i], .y = y[i]});
  std::vector<ChartPoint> smooth_points;
  const size_t count = std::min(x.size(), kMaxPoints);
  for (size_t k = 0; k < count; ++k) {
    const size_t i = count > 1 ? k * (x.size() - 1) / (count - 1) : 0;
    smooth_points.push_back({.x = x[i], .y = smoothed(y, i)});
  }
  return {{.points = thinned(std::move(raw_points), kMaxPoints), .mark = Mark::faint_line},
          {.points = std::move(smooth_points), .mark = Mark::line}};
}

// Returns the axis of a loss or a distance with these values.
Axis axis_of(std::string title, const std::vector<double>& values) {
  double low = std::numeric_limits<double>::infinity();
  double high = 0.0;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  Axis axis{.title = std::move(title)};
  if (low > 0.0 && high / 10.0 > low) {
    axis.scale = Scale::log10;
  } else if (low >= 0.0 && low <= high / 1.5) {
    axis.low = 0.0;
  }
  return axis;
}

// Returns the axis of the updates of a stage, up to its planned end.
Axis update_axis(const StageFacts& stage) {
  return {.title = "update",
          .low = 0.0,
          .high = static_cast<double>(std::max(stage.stage.updates, stage.updates_done()))};
}

}  // namespace

double smoothed(const std::vector<double>& values, size_t i) {
  const size_t reach = std::min({values.size() / 40, i, values.size() - 1 - i});
  double sum = 0.0;
  size_t count = 0;
  for (size_t k = i - reach; k <= i + reach; ++k) {
    if (!std::isfinite(values[k])) continue;
    sum += values[k];
    ++count;
  }
  return count > 0 ? sum / static_cast<double>(count) : kNone;
}

std::vector<ChartPoint> thinned(std::vector<ChartPoint> points, size_t max_points) {
  if (points.size() <= max_points) return points;
  const size_t interval = (2 * points.size() + max_points - 1) / max_points;
  std::vector<ChartPoint> kept;
  for (size_t begin = 0; begin < points.size(); begin += interval) {
    const auto first = points.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last =
        points.begin() + static_cast<std::ptrdiff_t>(std::min(begin + interval, points.size()));
    const auto finite_end =
        std::partition(first, last, [](const ChartPoint& point) { return std::isfinite(point.y); });
    if (finite_end == first) {
      kept.push_back(*first);  // leaves a gap in the line
      continue;
    }
    auto [low, high] = std::minmax_element(
        first, finite_end, [](const ChartPoint& a, const ChartPoint& b) { return a.y < b.y; });
    if (low->x > high->x) std::swap(low, high);
    kept.push_back(*low);
    if (low != high) kept.push_back(*high);
  }
  return kept;
}

Chart loss_chart(const StageFacts& stage) {
  std::vector<double> updates;
  std::vector<double> losses;
  for (const StatsLine& line : stage.lines) {
    updates.push_back(static_cast<double>(line.update));
    losses.push_back(line.loss.value_or(kNone));
  }
  return {.description = "Loss over the updates of this stage",
          .x = update_axis(stage),
          .y = axis_of("loss", losses),
          .series = raw_and_smooth(updates, losses)};
}

const Quality* last_quality(const StageFacts& stage) {
  const Quality* last = nullptr;
  for (const StatsLine& line : stage.lines)
    if (line.quality) last = &*line.quality;
  return last;
}

Chart distance_chart(const StageFacts& stage) {
  Series series{.points = {}, .mark = Mark::line_with_points};
  std::vector<double> distances;
  for (const StatsLine& line : stage.lines) {
    if (!line.quality) continue;
    distances.push_back(line.quality->distance.value_or(kNone));
    series.points.push_back(
        {.x = static_cast<double>(line.update),
         .y = distances.back(),
         .note = "update " + grouped(line.update) + ": " + rounded(distances.back())});
  }
  const Quality& last = *last_quality(stage);
  Chart chart{.description = "Distance of samples from the data over the updates of this stage",
              .x = update_axis(stage),
              .y = axis_of(last.distance_name, distances),
              .series = {std::move(series)}};
  if (last.best_update > 0)
    chart.rules.push_back({.x = static_cast<double>(last.best_update), .label = "best"});
  return chart;
}

Chart pixel_chart(const StageFacts& stage) {
  Series mean{.points = {}, .mark = Mark::line_with_points, .colour = 0};
  Series deviation{.points = {}, .mark = Mark::line_with_points, .colour = 1};
  for (const StatsLine& line : stage.lines) {
    if (!line.quality) continue;
    const auto add = [&](Series& series, const char* name, double value) {
      series.points.push_back({.x = static_cast<double>(line.update),
                               .y = value,
                               .note = name + std::string(" ") + rounded(value)});
    };
    add(mean, "mean", line.quality->pixel_mean);
    add(deviation, "deviation", line.quality->pixel_deviation);
  }
  const Quality& last = *last_quality(stage);
  const Axis updates = update_axis(stage);
  const auto level = [&](double value, int colour) {
    return Series{.points = {{.x = 0.0, .y = value}, {.x = *updates.high, .y = value}},
                  .mark = Mark::faint_line,
                  .colour = colour};
  };
  return {.description = "Mean and deviation of the pixels over the updates of this stage",
          .x = updates,
          .y = {.title = "level, 0 to 255"},
          .series = {level(last.data_mean, 0), level(last.data_deviation, 1), std::move(mean),
                     std::move(deviation)}};
}

Chart speed_chart(const RunFacts& facts) {
  Chart chart{.description = "Images per second over the updates of the run",
              .x = {.title = "update of the run", .low = 0.0},
              .y = {.title = "images/s", .low = 0.0}};
  std::vector<double> updates;
  std::vector<double> speeds;
  StatsLine before;
  for (const StageFacts& stage : facts.stages) {
    if (!stage.lines.empty() && facts.stages.size() > 1) {
      const StatsLine& first = stage.lines.front();
      chart.rules.push_back({.x = static_cast<double>(first.total_updates - first.update),
                             .label = stage.stage.kind == StageKind::convert ? "conversion"
                                      : stage.stage.kind == StageKind::guide
                                          ? "guidance"
                                          : std::to_string(stage.stage.num_steps)});
    }
    for (const StatsLine& line : stage.lines) {
      const double images = static_cast<double>(line.total_updates - before.total_updates) *
                            static_cast<double>(facts.options.update.batch);
      const double seconds = line.seconds - before.seconds;
      updates.push_back(static_cast<double>(line.total_updates));
      speeds.push_back(seconds > 0.0 ? images / seconds : kNone);
      before = line;
    }
  }
  chart.x.high = static_cast<double>(std::max<int64_t>(before.total_updates, 1));
  chart.series = raw_and_smooth(updates, speeds);
  return chart;
}

}  // namespace halfstep::report
