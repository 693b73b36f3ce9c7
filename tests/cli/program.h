// Runs the program as a process, with limits and signals, and says what came of it.
#ifndef HALFSTEP_TESTS_CLI_PROGRAM_H_
#define HALFSTEP_TESTS_CLI_PROGRAM_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace halfstep::cli {

using Arguments = std::vector<std::string>;

// AddressSanitizer reserves more address space than any limit would leave: there is none then.
#ifdef __SANITIZE_ADDRESS__
inline constexpr bool kAddressSanitizer = true;
#else
inline constexpr bool kAddressSanitizer = false;
#endif
inline constexpr const char* kNoMemoryLimit = "address space cannot be limited under ASan";

struct Conditions {
  std::vector<std::pair<std::string, std::string>> environment;
  std::optional<uint64_t> largest_file;    // bytes that any file may have
  std::optional<uint64_t> largest_memory;  // bytes of address space
  bool obey_permissions = false;           // even as root
  std::string stdout_path;                 // a file or device in place of a pipe
  // Sends `signal` this long after stderr had `after_text` (at once for an empty text) and `after`,
  // asked again and again, was true.
  std::optional<int> signal;
  std::string after_text;
  std::function<bool()> after;
  double after_seconds = 0.0;
};

struct Finished {
  int code = 0;  // the exit code, or minus the signal that ended it
  std::string out;
  std::string err;
  double seconds = 0.0;
};

// Waits for the end; ends a program that hangs.
Finished run(const Arguments& arguments, const Conditions& conditions = {});

// Ended with 0; prints what it said if not.
testing::AssertionResult succeeds(const Finished& finished);

// Ended with `code`, printed nothing on stdout, and on stderr one line alone,
// "halfstep: error: ...", that has all of `words` in it.
testing::AssertionResult refuses(const Finished& finished, int code,
                                 const std::vector<std::string>& words);

// The same after it had begun: other lines may come before the one of the error.
testing::AssertionResult fails(const Finished& finished, int code,
                               const std::vector<std::string>& words);

}  // namespace halfstep::cli

#endif  // HALFSTEP_TESTS_CLI_PROGRAM_H_
