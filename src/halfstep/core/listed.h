// The names of many things in a message.
#ifndef HALFSTEP_CORE_LISTED_H_
#define HALFSTEP_CORE_LISTED_H_

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace halfstep {

// Returns the first `most` names, such as "a, b, ..."; the dots stand for more.
inline std::string listed(const std::vector<std::string>& names, std::size_t most) {
  std::string text;
  for (std::size_t k = 0; k < std::min(most, names.size()); ++k)
    text += (k == 0 ? "" : ", ") + names[k];
  return text + (names.size() > most ? ", ..." : "");
}

}  // namespace halfstep

#endif  // HALFSTEP_CORE_LISTED_H_
