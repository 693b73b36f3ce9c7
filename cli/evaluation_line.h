#ifndef HALFSTEP_CLI_EVALUATION_LINE_H_
#define HALFSTEP_CLI_EVALUATION_LINE_H_

#include <string>

#include "halfstep/report/evaluation_file.h"

namespace halfstep::cli {

// Returns a result as one line of "name value" pairs, so that it can be understood without a table
// heading.
std::string evaluation_line(const metrics::EvaluationResult& result);

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_EVALUATION_LINE_H_
