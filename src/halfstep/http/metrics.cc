#include "halfstep/http/metrics.h"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <vector>

namespace halfstep::http {
namespace {

// Returns a label of Prometheus: NAME="VALUE".
std::string label(const std::string& name, const std::string& value) {
  std::string text = name + "=\"";
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    if (c == '\n') {
      text += "\\n";
    } else {
      text += c;
    }
  }
  return text + '"';
}

void head(std::ostream& out, const char* name, const char* type, const char* help) {
  out << "# HELP " << name << ' ' << help << "\n# TYPE " << name << ' ' << type << '\n';
}

// Returns the smallest number that the share q of them does not exceed.
double quantile(std::vector<double> numbers, double q) {
  const auto rank = static_cast<std::ptrdiff_t>(
      std::max(1.0, std::ceil(q * static_cast<double>(numbers.size()))) - 1.0);
  std::nth_element(numbers.begin(), numbers.begin() + rank, numbers.end());
  return numbers[static_cast<std::size_t>(rank)];
}

}  // namespace

void Metrics::count_request(const std::string& route, int status, double seconds) {
  const std::lock_guard lock(mutex_);
  ++requests_[{route, status}];
  if (status >= 300) return;
  Seconds& times = seconds_[route];
  times.window.push_back(seconds);
  if (times.window.size() > kWindow) times.window.pop_front();
  times.sum += seconds;
  ++times.count;
}

void Metrics::count_batch(const std::string& model, std::size_t rows, double seconds) {
  const std::lock_guard lock(mutex_);
  Batches& batches = batches_[model];
  const auto* const size = std::ranges::lower_bound(kBatchSizes, rows);
  ++batches.sizes[static_cast<std::size_t>(size - kBatchSizes.begin())];
  ++batches.count;
  batches.rows += rows;
  batches.seconds += seconds;
}

std::string Metrics::text(std::size_t waiting) const {
  const std::lock_guard lock(mutex_);
  std::ostringstream out;
  out.precision(9);
  head(out, "halfstep_requests_total", "counter", "Answers by route and HTTP status.");
  for (const auto& [key, count] : requests_) {
    out << "halfstep_requests_total{" << label("route", key.first) << ",code=\"" << key.second
        << "\"} " << count << '\n';
  }
  head(out, "halfstep_request_seconds", "summary",
       "Seconds from a whole request to its answer: successful ones, quantiles of the last 1024.");
  for (const auto& [route, times] : seconds_) {
    const std::vector<double> window(times.window.begin(), times.window.end());
    for (const double q : {0.5, 0.95, 0.99}) {
      out << "halfstep_request_seconds{" << label("route", route) << ",quantile=\"" << q << "\"} "
          << quantile(window, q) << '\n';
    }
    out << "halfstep_request_seconds_sum{" << label("route", route) << "} " << times.sum << '\n'
        << "halfstep_request_seconds_count{" << label("route", route) << "} " << times.count
        << '\n';
  }
  head(out, "halfstep_queue_jobs", "gauge", "Jobs that wait for a batch.");
  out << "halfstep_queue_jobs " << waiting << '\n';
  head(out, "halfstep_images_total", "counter", "Images drawn, by model.");
  for (const auto& [model, batches] : batches_)
    out << "halfstep_images_total{" << label("model", model) << "} " << batches.rows << '\n';
  head(out, "halfstep_drawing_seconds_total", "counter", "Seconds spent drawing, by model.");
  for (const auto& [model, batches] : batches_) {
    out << "halfstep_drawing_seconds_total{" << label("model", model) << "} " << batches.seconds
        << '\n';
  }
  head(out, "halfstep_batch_images", "histogram", "Images per batch, by model.");
  for (const auto& [model, batches] : batches_) {
    uint64_t below = 0;
    for (std::size_t k = 0; k < kBatchSizes.size(); ++k) {
      below += batches.sizes[k];
      out << "halfstep_batch_images_bucket{" << label("model", model) << ",le=\"" << kBatchSizes[k]
          << "\"} " << below << '\n';
    }
    out << "halfstep_batch_images_bucket{" << label("model", model) << ",le=\"+Inf\"} "
        << batches.count << '\n'
        << "halfstep_batch_images_sum{" << label("model", model) << "} " << batches.rows << '\n'
        << "halfstep_batch_images_count{" << label("model", model) << "} " << batches.count << '\n';
  }
  return out.str();
}

}  // namespace halfstep::http
