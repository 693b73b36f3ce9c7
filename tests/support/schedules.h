// Schedules for tests of properties that every schedule must have.
#ifndef HALFSTEP_TESTS_SUPPORT_SCHEDULES_H_
#define HALFSTEP_TESTS_SUPPORT_SCHEDULES_H_

#include <cmath>
#include <numbers>
#include <optional>
#include <string>
#include <vector>

#include "halfstep/diffusion/schedule.h"

namespace halfstep::test {

struct NamedSchedule {
  std::string name;
  Schedule schedule;
};

inline std::vector<NamedSchedule> all_schedules() {
  // Unequal steps, ending at pure noise.
  std::vector<double> table;
  for (int k = 1; k <= 10; ++k) {
    table.push_back(0.5 * std::numbers::pi * std::pow(k / 10.0, 1.5));
  }
  return {{"cosine clipped", Schedule(CosineSchedule{})},
          {"cosine unclipped", Schedule(CosineSchedule{.clip = std::nullopt})},
          {"linear beta", Schedule(LinearBetaSchedule{})},
          {"table", Schedule(TableSchedule{.phi = table})}};
}

// Returns the schedules that end before pure noise, so that every output parameterization is
// defined.
inline std::vector<NamedSchedule> schedules_short_of_noise() {
  return {{"cosine clipped", Schedule(CosineSchedule{})},
          {"linear beta", Schedule(LinearBetaSchedule{})}};
}

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_SUPPORT_SCHEDULES_H_
