// ASCII letters in lower case, whatever the locale.
#ifndef HALFSTEP_CORE_LOWER_CASE_H_
#define HALFSTEP_CORE_LOWER_CASE_H_

#include <string>
#include <string_view>

namespace halfstep {

// Returns the letter in lower case; characters other than A to Z stay as they are.
inline char lower_case(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

inline std::string lower_case(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = lower_case(c);
  return result;
}

}  // namespace halfstep

#endif  // HALFSTEP_CORE_LOWER_CASE_H_
