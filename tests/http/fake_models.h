// Models whose images are functions of their rows, without a network.
#ifndef HALFSTEP_TESTS_HTTP_FAKE_MODELS_H_
#define HALFSTEP_TESTS_HTTP_FAKE_MODELS_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "halfstep/http/served_model.h"

namespace halfstep::http::test {

// What a fake model does, and what it was asked for.
struct Fake {
  std::chrono::milliseconds step_time{0};
  std::atomic<bool> fails = false;
  std::atomic<bool> blocked = false;  // stays before its first step while this holds
  std::atomic<int64_t> steps = 0;     // begun in all

  std::vector<std::vector<Row>> batches() {
    const std::lock_guard lock(mutex);
    return drawn;
  }
  void wait_for_step(int64_t step) const {
    while (steps < step) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

  std::mutex mutex;
  std::vector<std::vector<Row>> drawn;
};

// The image that a fake model draws for a row: 2 x 2, grey.
inline Drawn drawn_for(const Row& row) {
  const auto label = row.label.value_or(static_cast<int64_t>(row.seed % 10));
  return {.image = {.width = 2,
                    .height = 2,
                    .channels = 1,
                    .pixels = {static_cast<uint8_t>(row.seed), static_cast<uint8_t>(row.seed >> 8),
                               static_cast<uint8_t>(label), static_cast<uint8_t>(row.guidance)}},
          .label = label};
}

// Returns a model of 10 classes, a null class and `steps` steps. `fake` must outlive it.
inline ServedModel fake_model(const std::string& id, Fake& fake, int64_t steps = 4) {
  ServedModel model{.id = id,
                    .sha256 = "0123",
                    .steps = steps,
                    .distilled = true,
                    .width = 2,
                    .height = 2,
                    .channels = 1,
                    .num_classes = 10,
                    .has_null_class = true,
                    .guidance = {.min = 0.0, .max = 10.0, .value = 1.0, .doubles_calls = true}};
  model.draw = [&fake, steps](std::span<const Row> rows,
                              const OnStep& on_step) -> std::optional<std::vector<Drawn>> {
    {
      const std::lock_guard lock(fake.mutex);
      fake.drawn.emplace_back(rows.begin(), rows.end());
    }
    for (int64_t step = 1; step <= steps; ++step) {
      ++fake.steps;
      do {
        if (!on_step(step)) return std::nullopt;
        std::this_thread::sleep_for(fake.step_time);
      } while (fake.blocked);
      if (fake.fails) throw std::runtime_error("a broken network\nat line 3");
    }
    std::vector<Drawn> images;
    for (const Row& row : rows) images.push_back(drawn_for(row));
    return images;
  };
  return model;
}

inline std::vector<Row> rows_of(uint64_t first, uint64_t count, double guidance = 1.0) {
  std::vector<Row> rows;
  for (uint64_t k = 0; k < count; ++k) rows.push_back({.seed = first + k, .guidance = guidance});
  return rows;
}

}  // namespace halfstep::http::test

#endif  // HALFSTEP_TESTS_HTTP_FAKE_MODELS_H_
