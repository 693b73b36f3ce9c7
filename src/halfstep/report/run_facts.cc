#include "halfstep/report/run_facts.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <optional>
#include <span>
#include <tuple>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/io/file.h"
#include "halfstep/io/image.h"
#include "halfstep/model/model_file.h"
#include "halfstep/train/newest_model.h"

namespace halfstep::report {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSamples = "samples.png";

// Throws FormatError unless the line is of an update of the run that comes after that of the line
// before. So the counts below are within those of the options.
void require_follows(const StatsLine& line, const StatsLine& before,
                     const std::vector<StageFacts>& stages, const std::string& where) {
  const bool known = line.stage >= before.stage && line.stage < std::ssize(stages) &&
                     line.update >= 1 &&
                     line.update <= stages[static_cast<size_t>(line.stage)].stage.updates &&
                     line.total_updates > before.total_updates && std::isfinite(line.seconds) &&
                     line.seconds >= before.seconds;
  if (known) return;
  throw FormatError(
      where, "expected updates of this run in order, found update " + std::to_string(line.update) +
                 " of stage " + std::to_string(line.stage) + " after update " +
                 std::to_string(before.update) + " of stage " + std::to_string(before.stage));
}

std::vector<StageFacts> stages_of_run(const RunDirectory& directory, const RunOptions& options) {
  std::vector<StageFacts> facts;
  for (const Stage& stage : options.stages()) facts.push_back({.stage = stage});
  const fs::path file = directory.path() / "stats.jsonl";
  StatsLine before;
  for (const StatsLine& line : read_stats(file)) {
    require_follows(line, before, facts, file.string());
    facts[static_cast<size_t>(line.stage)].lines.push_back(line);
    before = line;
  }
  double seconds = 0.0;
  for (StageFacts& stage : facts) {
    if (stage.lines.empty()) continue;
    stage.seconds = stage.lines.back().seconds - std::exchange(seconds, stage.lines.back().seconds);
    stage.finished = stage.updates_done() >= stage.stage.updates &&
                     model_file_at(directory.stage_folder(stage.stage));
  }
  return facts;
}

// Returns N of "teacher-N.png"; nullopt for other names.
std::optional<int64_t> steps_of_teacher(const fs::path& path) {
  constexpr std::string_view kPrefix = "teacher-";
  const std::string stem = path.stem().string();
  if (path.extension() != ".png" || !stem.starts_with(kPrefix)) return std::nullopt;
  int64_t steps = 0;
  const char* end = stem.data() + stem.size();
  const auto [stop, error] = std::from_chars(stem.data() + kPrefix.size(), end, steps);
  if (error != std::errc() || stop != end) return std::nullopt;
  return steps;
}

Picture read_picture(const fs::path& path, int64_t num_steps, bool of_teacher) {
  std::string png = io::read_file(path);
  const io::Image image =
      io::decode_image(std::as_bytes(std::span(png.data(), png.size())), path.string());
  return {.num_steps = num_steps,
          .of_teacher = of_teacher,
          .width = image.width,
          .height = image.height,
          .png = std::move(png)};
}

std::vector<Picture> pictures_of_run(const RunDirectory& directory, const RunOptions& options) {
  std::vector<Picture> pictures;
  for (const Stage& stage : options.stages()) {
    const fs::path path = directory.stage_folder(stage) / kSamples;
    if (!fs::exists(path)) continue;
    pictures.push_back(read_picture(path, stage.num_steps, false));
    pictures.back().matched = stage.kind == StageKind::match;
  }
  for (const auto& entry : fs::directory_iterator(directory.path())) {
    if (const std::optional<int64_t> steps = steps_of_teacher(entry.path()))
      pictures.push_back(read_picture(entry.path(), *steps, true));
  }
  std::ranges::sort(pictures, [](const Picture& a, const Picture& b) {
    return std::tuple(-a.num_steps, a.of_teacher, a.matched) <
           std::tuple(-b.num_steps, b.of_teacher, b.matched);
  });
  return pictures;
}

// Returns the last lines of a log, with a line that says so if there are others before them.
std::string end_of_log(const fs::path& path) {
  constexpr size_t kMost = 200'000;  // bytes, as many as a reader scrolls through
  if (!fs::exists(path)) return "";
  std::string log;
  bool whole = true;
  io::read_pieces(path, [&](std::span<const std::byte> piece) {
    log.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    if (log.size() <= 2 * kMost) return;
    log.erase(0, log.size() - kMost);
    whole = false;
  });
  return whole ? log : "[earlier lines are in log.txt]" + log.substr(log.find('\n'));
}

// Returns at most `most` of the elements, evenly spaced, with the last.
std::vector<Snapshot> some_of(const std::vector<Snapshot>& all, size_t most) {
  if (all.size() <= most) return all;
  std::vector<Snapshot> some;
  for (size_t k = 1; k <= most; ++k) some.push_back(all[k * all.size() / most - 1]);
  return some;
}

std::vector<SnapshotFacts> snapshots_of_run(const RunDirectory& directory,
                                            const RunOptions& options) {
  constexpr size_t kMostPerStage = 12;
  std::vector<SnapshotFacts> facts;
  for (const Stage& stage : options.stages()) {
    std::vector<Snapshot> snapshots = snapshots_of(directory, stage);
    std::erase_if(snapshots,
                  [](const Snapshot& one) { return !fs::exists(one.folder / kSamples); });
    if (snapshots.empty()) continue;
    SnapshotFacts& found = facts.emplace_back(
        SnapshotFacts{.stage = stage.name, .count = snapshots.size(), .pictures = {}});
    for (const Snapshot& snapshot : some_of(snapshots, kMostPerStage)) {
      found.pictures.push_back(read_picture(snapshot.folder / kSamples, stage.num_steps, false));
      found.pictures.back().update = snapshot.update;
    }
  }
  return facts;
}

int64_t parameters_of(const RunDirectory& directory, const ModelSpec& spec) {
  // The code of a TorchScript network is in the model's file, that of an external one is not here.
  return is_code(spec.network) ? count_parameters_of(directory.teacher_path())
                               : count_parameters(*make_network(spec));
}

}  // namespace

int64_t RunFacts::updates_done() const {
  int64_t total = 0;
  for (const StageFacts& stage : stages) total += stage.updates_done();
  return total;
}

int64_t RunFacts::updates_planned() const {
  int64_t total = 0;
  for (const StageFacts& stage : stages) total += stage.stage.updates;
  return total;
}

double RunFacts::seconds() const {
  double total = 0.0;
  for (const StageFacts& stage : stages) total += stage.seconds;
  return total;
}

double RunFacts::flops_of(const StageFacts& stage) const {
  return cost.flops * stage.stage.forwards() * static_cast<double>(stage.updates_done()) *
         static_cast<double>(options.update.batch);
}

RunFacts gather_facts(const RunDirectory& directory) {
  RunFacts facts;
  facts.name = fs::weakly_canonical(directory.path()).filename().string();
  facts.options = directory.options();
  facts.stages = stages_of_run(directory, facts.options);
  facts.command = directory.command();
  facts.pictures = pictures_of_run(directory, facts.options);
  facts.snapshots = snapshots_of_run(directory, facts.options);
  facts.parameters = parameters_of(directory, facts.options.model);
  facts.cost = network_cost(facts.options.model.network);
  if (const std::optional<SavedState> saved = directory.load_state())
    facts.fingerprint = saved->fingerprint;
  facts.log = end_of_log(directory.path() / "log.txt");
  for (const StageFacts& stage : facts.stages) {
    if (!stage.lines.empty()) facts.skipped = stage.lines.back().skipped;
  }
  return facts;
}

}  // namespace halfstep::report
