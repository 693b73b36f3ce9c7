#include "halfstep/io/system_error.h"

#include <cerrno>
#include <cstring>

namespace halfstep::io {

std::string errno_text(int error) { return std::string("\"") + std::strerror(error) + "\""; }

const char* errno_advice(int error) {
  switch (error) {
    case ENOENT:
      return "check the path; its folder must exist";
    case ELOOP:
      return "check the links in the path, which form a circle";
    case ENAMETOOLONG:
      return "use a shorter path";
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return "free some space or choose another disk; the old file is unchanged";
    case EACCES:
    case EPERM:
    case EROFS:
      return "check the permissions";
    default:
      return "check the path and the disk";
  }
}

IoError io_error(const std::filesystem::filesystem_error& error) {
  return {error.path1().string(), "expected a file or folder that can be used, received " +
                                      errno_text(error.code().value()) + "; " +
                                      errno_advice(error.code().value())};
}

void fail_reading(const std::filesystem::path& path, std::string_view expected,
                  std::string_view received, std::string_view advice) {
  throw IoError("read_file", path.string() + ": expected " + std::string(expected) + ", received " +
                                 std::string(received) + "; " + std::string(advice));
}

void fail_writing(const std::filesystem::path& path, std::string_view expected, int error) {
  throw IoError("write_file", path.string() + ": expected " + std::string(expected) +
                                  ", received " + errno_text(error) + "; " + errno_advice(error));
}

}  // namespace halfstep::io
