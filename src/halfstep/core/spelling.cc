#include "halfstep/core/spelling.h"

#include <algorithm>

#include "halfstep/core/lower_case.h"

namespace halfstep {
namespace {

// Longer words are not compared: the time would grow with the square of their length.
constexpr std::size_t kLongest = 100;

// Returns the only name that begins with `word`, or "".
std::string only_completion(const std::string& word, const std::vector<std::string>& names) {
  std::string found;
  for (const std::string& name : names) {
    if (!lower_case(name).starts_with(word)) continue;
    if (!found.empty() && found != name) return "";
    found = name;
  }
  return found;
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // rows[2] is the row of a's prefix of length i, rows[1] and rows[0] are the two before it.
  std::vector<std::vector<std::size_t>> rows(3, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t j = 0; j <= b.size(); ++j) rows[2][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::rotate(rows.begin(), rows.begin() + 1, rows.end());
    rows[2][0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower_case(a[i - 1]) == lower_case(b[j - 1]);
      rows[2][j] =
          std::min({rows[1][j] + 1, rows[2][j - 1] + 1, rows[1][j - 1] + (same ? 0U : 1U)});
      const bool exchanged = i > 1 && j > 1 && lower_case(a[i - 1]) == lower_case(b[j - 2]) &&
                             lower_case(a[i - 2]) == lower_case(b[j - 1]);
      if (exchanged) rows[2][j] = std::min(rows[2][j], rows[0][j - 2] + 1);
    }
  }
  return rows[2][b.size()];
}

std::string closest_name(std::string_view word, const std::vector<std::string>& names) {
  if (word.empty() || word.size() > kLongest) return "";
  std::string best;
  const std::size_t most =
      word.size() < 3 ? word.size() / 2 : std::max<std::size_t>(2, (word.size() + 1) / 3);
  std::size_t least = most + 1;
  for (const std::string& name : names) {
    if (name.size() > kLongest) continue;
    const std::size_t distance = edit_distance(word, name);
    if (distance >= least) continue;
    least = distance;
    best = name;
  }
  return best.empty() ? only_completion(lower_case(word), names) : best;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& names) {
  const std::string name = closest_name(word, names);
  return name.empty() ? "" : "; did you mean " + name + "?";
}

}  // namespace halfstep
