#include "cli/progress.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <cstdarg>
#include <cstdio>

#include "cli/process.h"
#include "halfstep/core/error.h"

namespace halfstep::cli {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kTerminalInterval{200};
constexpr std::chrono::seconds kPlainInterval{5};
constexpr double kSmoothing = 0.05;
constexpr const char* kClearLine = "\r\033[K";

// Prints to stderr. If its reader has ended, as head does in "halfstep train ... 2>&1 | head", a
// run stops as after Ctrl-C.
__attribute__((format(printf, 1, 2))) void print(const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  const bool written = std::vfprintf(stderr, format, arguments) >= 0;
  va_end(arguments);
  if (!written && errno == EPIPE) request_stop();
}

// Returns ", FD-ResNet20-FashionMNIST 0.312 (best 0.301)".
std::string text_of(const Quality& quality) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), " %.3g (best %.3g)",
                quality.distance.value_or(std::nan("")),
                quality.best_distance.value_or(std::nan("")));
  return ", " + one_line(quality.distance_name) + text.data();
}

}  // namespace

std::string clock_text(double seconds) {
  const auto whole = static_cast<long long>(std::llround(std::max(0.0, seconds)));
  std::array<char, 64> text{};
  if (whole >= 3600) {
    std::snprintf(text.data(), text.size(), "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60,
                  whole % 60);
  } else {
    std::snprintf(text.data(), text.size(), "%lld:%02lld", whole / 60, whole % 60);
  }
  return text.data();
}

Pace::Pace() : terminal_(isatty(STDERR_FILENO) == 1) {}

const char* Pace::begin() const { return terminal_ ? kClearLine : ""; }

bool Pace::due(bool must) {
  const auto now = steady_clock::now();
  if (!must &&
      now - last_ < (terminal_ ? steady_clock::duration(kTerminalInterval) : kPlainInterval))
    return false;
  last_ = now;
  return true;
}

void CountLine::show(const std::string& what, int64_t done, int64_t of) {
  const bool last = done == of;
  if (!pace_.due(last)) return;
  print("%s%s: %lld/%lld images%s", pace_.begin(), what.c_str(), static_cast<long long>(done),
        static_cast<long long>(of), pace_.terminal() && !last ? "" : "\n");
}

void ProgressLine::on_begin(const std::filesystem::path& folder, int64_t /*total_updates*/) {
  print("%srun %s\n", pace_.begin(), folder.c_str());
}

void ProgressLine::on_message(std::string_view message) {
  print("%s%.*s\n", pace_.begin(), static_cast<int>(message.size()), message.data());
}

void ProgressLine::on_update(const UpdateRecord& record) {
  const bool first = record.stage != stage_;
  if (first) {
    stage_ = record.stage;
    smooth_loss_ = record.loss;
    quality_.clear();
  } else if (std::isfinite(record.loss)) {
    smooth_loss_ += kSmoothing * (record.loss - smooth_loss_);
  }
  if (record.quality) quality_ = text_of(*record.quality);
  const bool last = record.update == record.updates;
  if (!pace_.due(first || last)) return;

  std::string what(record.stage_name);
  if (record.num_stages > 1) {
    what += " (" + std::to_string(record.stage + 1) + "/" + std::to_string(record.num_stages) + ")";
  }
  print("%s%s: update %lld/%lld, loss %.5f%s, %.1f images/s, %s left", pace_.begin(), what.c_str(),
        static_cast<long long>(record.update), static_cast<long long>(record.updates), smooth_loss_,
        quality_.c_str(), record.images_per_second, clock_text(record.seconds_left).c_str());
  if (record.skipped > 0) print(", %lld skipped", static_cast<long long>(record.skipped));
  if (!pace_.terminal() || last) print("\n");
}

}  // namespace halfstep::cli
