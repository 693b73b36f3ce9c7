// Every failure of the library is one of these; nothing is printed and nothing exits.
//
// The message is one line: "[where] what: expected ..., received ..., and what to do about it".
#ifndef HALFSTEP_CORE_ERROR_H_
#define HALFSTEP_CORE_ERROR_H_

#include <stdexcept>
#include <string>
#include <string_view>

namespace halfstep {

// `text` with \xNN for its control characters, line breaks among them. Messages hold names from
// files and flags.
std::string one_line(std::string_view text);

class Error : public std::runtime_error {
 public:
  Error(std::string_view where, std::string_view what);
};

// The caller asked for something that cannot be: a wrong flag, option, shape or combination (exit
// code 2).
class ConfigError : public Error {
 public:
  using Error::Error;
};

// A file is not what it should be: truncated, corrupt, another format or version (exit code 1).
class FormatError : public Error {
 public:
  using Error::Error;
};

// The world said no: a missing file, a full disk, no permission (exit code 1).
class IoError : public Error {
 public:
  using Error::Error;
};

}  // namespace halfstep

#endif  // HALFSTEP_CORE_ERROR_H_
