// Suggestions for misspelt names in error messages.
#ifndef HALFSTEP_CORE_SPELLING_H_
#define HALFSTEP_CORE_SPELLING_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace halfstep {

// Returns the least number of insertions, deletions, substitutions and exchanges of neighbouring
// characters that turn `a` into `b` (optimal string alignment). Upper and lower case of ASCII
// letters count as equal.
std::size_t edit_distance(std::string_view a, std::string_view b);

// Returns the name that `word` most likely is a misspelling of: the nearest one, if at most a third
// of its characters differ (two of a short word), or the only one that begins with `word`. Returns
// "" if there is none.
std::string closest_name(std::string_view word, const std::vector<std::string>& names);

// Returns "; did you mean NAME?" for the end of a message, or "" if no name is close.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& names);

}  // namespace halfstep

#endif  // HALFSTEP_CORE_SPELLING_H_
