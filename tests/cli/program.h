// Runs the program as a process, with limits and signals, and returns how it ended.
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

// AddressSanitizer reserves more address space than any useful limit, so tests set none under it.
#ifdef __SANITIZE_ADDRESS__
inline constexpr bool kAddressSanitizer = true;
#else
inline constexpr bool kAddressSanitizer = false;
#endif
inline constexpr const char* kNoMemoryLimit = "address space cannot be limited under ASan";

struct Conditions {
  std::vector<std::pair<std::string, std::string>> environment;
  std::optional<uint64_t> largest_file;    // size limit of files, bytes
  std::optional<uint64_t> largest_memory;  // limit of the address space, bytes
  bool obey_permissions = false;           // as an ordinary user, even as root
  std::string stdout_path;                 // a file or device for stdout instead of a pipe
  // Sends `signal` once stderr contains `after_text` and `after`, which is polled, returns true,
  // plus `after_seconds`.
  std::optional<int> signal;
  std::string after_text;
  std::function<bool()> after;
  double after_seconds = 0.0;
};

struct Finished {
  int code = 0;  // the exit code, or minus the number of the signal that ended the program
  std::string out;
  std::string err;
  double seconds = 0.0;
};

// Waits until the program ends, and kills a program that hangs.
Finished run(const Arguments& arguments, const Conditions& conditions = {});

// Returns whether `text` contains `words`.
inline bool says(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

// Succeeds if the program ended with 0. Otherwise shows its output.
testing::AssertionResult succeeds(const Finished& finished);

// Succeeds if the program ended with `code`, printed nothing on stdout, and printed a single line
// "halfstep: error: ..." on stderr that contains all of `words`.
testing::AssertionResult refuses(const Finished& finished, int code,
                                 const std::vector<std::string>& words);

// Like refuses(), but other lines may come before the error.
testing::AssertionResult fails(const Finished& finished, int code,
                               const std::vector<std::string>& words);

}  // namespace halfstep::cli

#endif  // HALFSTEP_TESTS_CLI_PROGRAM_H_
