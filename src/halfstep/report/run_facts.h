// All that a report says of a run, gathered from its folder; finished or not.
#ifndef HALFSTEP_REPORT_RUN_FACTS_H_
#define HALFSTEP_REPORT_RUN_FACTS_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "halfstep/nn/network_cost.h"
#include "halfstep/train/run_directory.h"
#include "halfstep/train/stats.h"

namespace halfstep::report {

struct StageFacts {
  Stage stage;
  std::vector<StatsLine> lines;
  bool finished = false;  // its last update is recorded and its model there
  double seconds = 0.0;   // spent in its updates

  int64_t updates_done() const { return lines.empty() ? 0 : lines.back().update; }
};

struct Picture {
  int64_t num_steps = 0;  // that it was drawn with; 0: the model of a training
  bool of_teacher = false;
  int width = 0;
  int height = 0;
  std::string png;  // the file
};

struct RunFacts {
  std::string name;  // of the folder
  RunOptions options;
  std::vector<StageFacts> stages;
  std::vector<Picture> pictures;  // by falling number of steps, a student before a teacher
  int64_t parameters = 0;
  NetworkCost cost;            // 0 where it is not known
  nlohmann::json fingerprint;  // of the newest saved state; null where there is none
  std::string log;             // log.txt
  int64_t skipped = 0;         // updates that were not finite

  bool distilling() const { return options.kind == RunKind::distill; }
  bool finished() const { return stages.back().finished; }
  int64_t updates_done() const;
  int64_t updates_planned() const;
  double seconds() const;
  // Floating-point operations of a stage's updates so far.
  double flops_of(const StageFacts& stage) const;
};

// Throws FormatError or IoError where a file of the run cannot be read. A picture is samples.png of
// a stage and, where somebody put it into the run's folder, teacher-N.png: the teacher's at N
// steps.
RunFacts gather_facts(const RunDirectory& directory);

}  // namespace halfstep::report

#endif  // HALFSTEP_REPORT_RUN_FACTS_H_
