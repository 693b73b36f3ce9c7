// Collects the content of a report from the folder of a run, finished or not.
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
  bool finished = false;  // its last update is recorded and its model saved
  double seconds = 0.0;   // wall time of its updates

  int64_t updates_done() const { return lines.empty() ? 0 : lines.back().update; }
};

// A grid of samples, of seeds 0, 1, ... from the top left.
struct Picture {
  int64_t num_steps = 0;  // sampling steps; 0 for the model of a training run
  bool of_teacher = false;
  bool matched = false;  // the model was trained by moment matching
  int64_t update = 0;    // of a snapshot, counted in its stage; 0 for others
  int width = 0;
  int height = 0;
  std::string png;  // content of the file
};

// The snapshots of a stage: all of them, or some evenly spaced ones with the newest.
struct SnapshotFacts {
  std::string stage;  // its name
  size_t count = 0;   // of all snapshots that have a picture
  std::vector<Picture> pictures;
};

struct RunFacts {
  std::string name;  // name of the folder
  RunOptions options;
  std::vector<StageFacts> stages;
  std::string command;                   // the command line that made the run; empty if unknown
  std::vector<Picture> pictures;         // by decreasing number of steps, students before teachers
  std::vector<SnapshotFacts> snapshots;  // of the stages that have any
  int64_t parameters = 0;
  NetworkCost cost;            // 0 if unknown
  nlohmann::json fingerprint;  // of the newest saved state; null if there is none
  std::string log;             // content of log.txt; its end if it is long
  int64_t skipped = 0;         // number of updates that were not finite

  bool distilling() const { return options.kind == RunKind::distill; }
  bool finished() const { return stages.back().finished; }
  int64_t updates_done() const;
  int64_t updates_planned() const;
  double seconds() const;
  // Returns the number of floating-point operations of a stage's updates so far.
  double flops_of(const StageFacts& stage) const;
};

// Reads the run. Pictures are the samples.png of its stages and snapshots, and the teacher-N.png in
// the run's folder: the teacher's samples with N steps. Throws FormatError or IoError if a
// file of the run cannot be read.
RunFacts gather_facts(const RunDirectory& directory);

}  // namespace halfstep::report

#endif  // HALFSTEP_REPORT_RUN_FACTS_H_
