// The parts of a run's page. Each is an <header> or <section>, and says so where there is nothing
// to show yet.
#ifndef HALFSTEP_REPORT_RUN_SECTIONS_H_
#define HALFSTEP_REPORT_RUN_SECTIONS_H_

#include <string_view>
#include <vector>

#include "halfstep/report/evaluation_file.h"
#include "halfstep/report/html.h"
#include "halfstep/report/run_facts.h"

namespace halfstep::report {

// <section> under a heading.
Html section(std::string_view heading, const Html& content);

// The run's name, what it is in a sentence, how far it came, and its figures.
Html heading_section(const RunFacts& facts);

// The grids of all stages side by side, drawn from the same noise.
Html pictures_section(const RunFacts& facts);

// The loss of each stage, and the speed.
Html curves_section(const RunFacts& facts);

// Time and work of each stage.
Html cost_section(const RunFacts& facts);

// options.json: what was changed, what was not, and the model.
Html settings_section(const RunFacts& facts);

// Distances over network evaluations, and all numbers. Results with the same features, reference
// and number of images share a chart and a table; others cannot be compared.
Html distance_section(const std::vector<EvaluationFile>& evaluations);

// What the run's bits depend on, and its log.
Html environment_section(const RunFacts& facts);

}  // namespace halfstep::report

#endif  // HALFSTEP_REPORT_RUN_SECTIONS_H_
