#include "cli/command_line.h"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace halfstep::cli {

std::string shell_quoted(std::string_view argument) {
  constexpr std::string_view kSafe =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./,:@%";
  if (!argument.empty() && argument.find_first_not_of(kSafe) == std::string_view::npos)
    return std::string(argument);
  std::string quoted = "'";
  for (const char c : argument) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
    }
  }
  return quoted + "'";
}

std::string command_line() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string arguments{std::istreambuf_iterator<char>(file), {}};
  std::string line;
  for (size_t begin = 0; begin < arguments.size();) {
    const size_t end = std::min(arguments.find('\0', begin), arguments.size());
    line += (begin > 0 ? " " : "") +
            shell_quoted(std::string_view(arguments).substr(begin, end - begin));
    begin = end + 1;
  }
  return line;
}

}  // namespace halfstep::cli
