// The exceptions that the library throws. The library itself never prints and never exits.
//
// A message is one line: "[where] what: expected ..., received ...; what to do". `where` names one
// place: a file, a flag, or the operation that failed.
#ifndef HALFSTEP_CORE_ERROR_H_
#define HALFSTEP_CORE_ERROR_H_

#include <stdexcept>
#include <string>
#include <string_view>

namespace halfstep {

// Returns `text` with its control characters, line breaks included, written as \xNN. Messages quote
// names from files and flags, which may hold any bytes.
std::string one_line(std::string_view text);

// Base class of all errors. what() is "[where] text" on one line. Besides those below there are
// TrainingError (train/training_error.h) and parallel::PeerError (parallel/process_group.h).
//
// where() and text() return the two parts, so that a caller can rethrow an error as another type or
// with a better place without putting one message inside another:
//   catch (const ConfigError& error) { throw FormatError(path, error.text()); }
class Error : public std::runtime_error {
 public:
  Error(std::string_view where, std::string_view text);

  // Views into what(); they live as long as this object or any copy of it.
  std::string_view where() const noexcept { return {what() + 1, where_size_}; }
  std::string_view text() const noexcept { return what() + where_size_ + 3; }

 private:
  std::size_t where_size_;
};

// The caller asked for something impossible: a wrong flag, option, shape or combination of them.
// The program exits with code 2.
class ConfigError : public Error {
 public:
  using Error::Error;
};

// A file is not what it should be: truncated, corrupt, or of another format or version. The program
// exits with code 1.
class FormatError : public Error {
 public:
  using Error::Error;
};

// The operating system refused: a missing file, a full disk, no permission. The program exits with
// code 1.
class IoError : public Error {
 public:
  using Error::Error;
};

}  // namespace halfstep

#endif  // HALFSTEP_CORE_ERROR_H_
