#include "halfstep/http/metrics.h"

#include <gtest/gtest.h>

#include <sstream>

namespace halfstep::http {
namespace {

void expect_line(const std::string& text, const std::string& line) {
  EXPECT_NE(("\n" + text).find("\n" + line + "\n"), std::string::npos) << line << "\n" << text;
}

TEST(Metrics, CountRequestsByRouteAndStatus) {
  Metrics metrics;
  for (int k = 1; k <= 100; ++k) metrics.count_request("generations", 200, 0.01 * k);
  metrics.count_request("generations", 429, 5.0);
  const std::string text = metrics.text(/*waiting=*/3);
  expect_line(text, R"(halfstep_requests_total{route="generations",code="200"} 100)");
  expect_line(text, R"(halfstep_requests_total{route="generations",code="429"} 1)");
  expect_line(text, R"(halfstep_request_seconds{route="generations",quantile="0.5"} 0.5)");
  expect_line(text, R"(halfstep_request_seconds{route="generations",quantile="0.95"} 0.95)");
  expect_line(text, R"(halfstep_request_seconds_sum{route="generations"} 50.5)");
  expect_line(text, R"(halfstep_request_seconds_count{route="generations"} 100)");
  expect_line(text, "halfstep_queue_jobs 3");
}

TEST(Metrics, CountBatchesByModelAndSize) {
  Metrics metrics;
  for (const size_t rows : {1, 2, 3, 64, 500}) metrics.count_batch("a\"b", rows, 0.5);
  const std::string text = metrics.text(0);
  expect_line(text, R"(halfstep_images_total{model="a\"b"} 570)");
  expect_line(text, R"(halfstep_drawing_seconds_total{model="a\"b"} 2.5)");
  expect_line(text, R"(halfstep_batch_images_bucket{model="a\"b",le="1"} 1)");
  expect_line(text, R"(halfstep_batch_images_bucket{model="a\"b",le="4"} 3)");
  expect_line(text, R"(halfstep_batch_images_bucket{model="a\"b",le="128"} 4)");
  expect_line(text, R"(halfstep_batch_images_bucket{model="a\"b",le="+Inf"} 5)");
}

// Every line is a comment or a sample, and every sample has a type.
TEST(Metrics, TextIsInPrometheusFormat) {
  Metrics metrics;
  metrics.count_request("page", 200, 0.1);
  metrics.count_batch("a", 4, 0.1);
  std::istringstream lines(metrics.text(0));
  std::string line, type;
  while (std::getline(lines, line)) {
    if (line.starts_with("# TYPE ")) type = line.substr(7, line.rfind(' ') - 7);
    if (line.starts_with("#")) continue;
    EXPECT_TRUE(line.starts_with(type)) << line;
    EXPECT_NO_THROW((void)std::stod(line.substr(line.rfind(' ')))) << line;
  }
}

}  // namespace
}  // namespace halfstep::http
