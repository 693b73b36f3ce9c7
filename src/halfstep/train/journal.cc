#include "halfstep/train/journal.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "halfstep/io/fields.h"
#include "halfstep/train/fingerprint.h"

namespace halfstep {
namespace {

constexpr int64_t kSpikeSilence = 100;  // updates after a reported spike without another report
constexpr int64_t kPaceUpdates = 50;    // updates that the mean time is taken over

}  // namespace

std::string three_digits(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3g", value);
  return text.data();
}

Journal::Journal(const RunDirectory* directory, const RunOptions& options,
                 const std::vector<Stage>& stages, TrainObserver& observer)
    : directory_(directory), options_(options), stages_(stages), observer_(observer) {}

void Journal::write(const std::string& message) {
  if (directory_) directory_->log(message);
  observer_.on_message(message);
}

void Journal::write_resumed(const SavedState& saved, const nlohmann::json& fingerprint) {
  if (!saved.damage.empty()) {
    write("a saved state is damaged; continuing from the other one: " + saved.damage);
  }
  if (!saved.stats_damage.empty())
    write("the statistics are damaged, the state is not: " + saved.stats_damage);
  const std::string changed = differences(saved.fingerprint, fingerprint);
  write("resumed at update " + std::to_string(saved.progress.total_updates) +
        (changed.empty() ? "" : ", not bit-exact: " + changed));
}

void Journal::count(const UpdateReport& report, double seconds, Progress& progress) {
  // The rate is a mean over the last updates, not over the run: stages differ in precision, and the
  // load of the machine changes.
  timed_ = std::min(timed_ + 1, kPaceUpdates);
  seconds_per_update_ += (seconds - seconds_per_update_) / static_cast<double>(timed_);
  progress.grad_norm =
      std::isfinite(report.grad_norm) ? std::optional(report.grad_norm) : std::nullopt;
  if (!report.skipped) count_loss(report.loss, progress);
}

std::optional<StatsLine> Journal::line(double lr, const std::optional<Quality>& quality,
                                       Progress& progress) {
  if (quality) seconds_per_evaluation_ = quality->seconds;
  const Stage& stage = stages_[static_cast<size_t>(progress.stage)];
  const bool due =
      progress.update % options_.update.log_every == 0 || progress.update == stage.updates;
  if (!directory_ || !(due || quality)) return std::nullopt;
  return write_statistics(lr, quality, progress);
}

void Journal::announce(const UpdateReport& report, double lr, const Progress& progress,
                       const std::optional<StatsLine>& line) {
  if (!directory_) return;
  const Stage& stage = stages_[static_cast<size_t>(progress.stage)];
  observer_.on_update({.stage = progress.stage,
                       .num_stages = static_cast<int64_t>(stages_.size()),
                       .stage_name = stage.name,
                       .num_steps = stage.num_steps,
                       .update = progress.update,
                       .updates = stage.updates,
                       .loss = report.loss,
                       .grad_norm = report.grad_norm,
                       .lr = lr,
                       .skipped = progress.skipped,
                       .images_per_second = images_per_second(),
                       .seconds_left = seconds_left(progress),
                       .quality = line ? line->quality : std::nullopt});
  if (line) observer_.on_stats(*line);
}

void Journal::count_loss(double loss, Progress& progress) {
  progress.loss_sum += loss;
  ++progress.loss_count;
  const double median = progress.losses.median();
  if (!progress.losses.is_spike(loss)) return;
  ++progress.spikes;
  // Only the first of several spikes in a row is reported.
  const bool reported =
      reported_spike_ && progress.total_updates - *reported_spike_ < kSpikeSilence;
  if (reported) return;
  reported_spike_ = progress.total_updates;
  write("update " + std::to_string(progress.total_updates) + ": the loss spiked to " +
        three_digits(loss) + "; the median of the losses before is " + three_digits(median));
}

double Journal::images_per_second() const {
  if (timed_ == 0) return 0.0;  // a resumed session that has made none
  return static_cast<double>(options_.update.batch) / seconds_per_update_;
}

double Journal::seconds_left(const Progress& progress) const {
  const int64_t every = options_.update.evaluate_every;
  int64_t updates = -progress.update;
  int64_t evaluations = every > 0 ? -progress.update / every : 0;
  for (size_t s = static_cast<size_t>(progress.stage); s < stages_.size(); ++s) {
    updates += stages_[s].updates;
    if (every > 0) evaluations += (stages_[s].updates + every - 1) / every;
  }
  return seconds_per_update_ * static_cast<double>(updates) +
         seconds_per_evaluation_ * static_cast<double>(evaluations);
}

StatsLine Journal::write_statistics(double lr, const std::optional<Quality>& quality,
                                    Progress& progress) {
  StatsLine line{.stage = progress.stage,
                 .num_steps = stages_[static_cast<size_t>(progress.stage)].num_steps,
                 .update = progress.update,
                 .total_updates = progress.total_updates,
                 .grad_norm = progress.grad_norm,
                 .lr = lr,
                 .skipped = progress.skipped,
                 .spikes = progress.spikes,
                 .images_per_second = images_per_second(),
                 .seconds = progress.seconds,
                 .quality = quality};
  if (progress.loss_count > 0)
    line.loss = progress.loss_sum / static_cast<double>(progress.loss_count);
  progress.loss_sum = 0.0;
  progress.loss_count = 0;
  progress.stats_bytes = directory_->append_stats(to_json(line));
  return line;
}

}  // namespace halfstep
