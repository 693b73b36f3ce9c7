// The parts of a run's page. Each is a <header> or a <section>, and says so if there is nothing to
// show yet.
#ifndef HALFSTEP_REPORT_RUN_SECTIONS_H_
#define HALFSTEP_REPORT_RUN_SECTIONS_H_

#include <string_view>
#include <vector>

#include "halfstep/report/evaluation_file.h"
#include "halfstep/report/html.h"
#include "halfstep/report/run_facts.h"

namespace halfstep::report {

// Returns a <section> with a heading.
Html section(std::string_view heading, const Html& content);

// The run's name, a one-sentence description, its progress, and key figures.
Html heading_section(const RunFacts& facts);

// The same seeds over the models and over the snapshots, one row each, and the grids of all stages.
// Every picture can be enlarged, without scripts.
Html pictures_section(const RunFacts& facts);

// Charts of the evaluations of each stage; empty if there were none.
Html quality_section(const RunFacts& facts);

// Charts of the loss of each stage and of the speed.
Html curves_section(const RunFacts& facts);

// Time and work of each stage.
Html cost_section(const RunFacts& facts);

// The content of options.json: changed settings, the others, and the model.
Html settings_section(const RunFacts& facts);

// Charts of the distance over network evaluations, and tables of all metrics. Results with the same
// features, reference and number of images share a chart and a table; others are not comparable.
Html distance_section(const std::vector<EvaluationFile>& evaluations);

// The fingerprint of the environment, which the run's bits depend on, and its log.
Html environment_section(const RunFacts& facts);

}  // namespace halfstep::report

#endif  // HALFSTEP_REPORT_RUN_SECTIONS_H_
