#ifndef HALFSTEP_CLI_MAN_PAGE_H_
#define HALFSTEP_CLI_MAN_PAGE_H_

#include <string>

#include "cli/description.h"

namespace halfstep::cli {

// Returns the manual page halfstep(1), in the macros of man(7).
std::string man_page(const Description& program);

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_MAN_PAGE_H_
