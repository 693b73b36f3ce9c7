// Errors of system calls, as IoErrors with the path, the system's reason and advice.
#ifndef HALFSTEP_IO_SYSTEM_ERROR_H_
#define HALFSTEP_IO_SYSTEM_ERROR_H_

#include <filesystem>
#include <string>
#include <string_view>

#include "halfstep/core/error.h"

namespace halfstep::io {

// Returns the system's description of an errno value, in double quotes.
std::string errno_text(int error);

// Returns what the user can do about an errno value.
const char* errno_advice(int error);

// Throws IoError "[read_file] PATH: expected EXPECTED, received RECEIVED; ADVICE".
[[noreturn]] void fail_reading(const std::filesystem::path& path, std::string_view expected,
                               std::string_view received, std::string_view advice);

// Returns an IoError with the path, the reason and the advice of an error of std::filesystem.
IoError io_error(const std::filesystem::filesystem_error& error);

// Throws IoError "[write_file] PATH: expected EXPECTED, received "REASON"; ADVICE", with the reason
// and the advice of `error`.
[[noreturn]] void fail_writing(const std::filesystem::path& path, std::string_view expected,
                               int error);

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_SYSTEM_ERROR_H_
