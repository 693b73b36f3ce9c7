// Checks, before the work, that its results can be written: hours later is too late.
#ifndef HALFSTEP_IO_REQUIRE_WRITABLE_H_
#define HALFSTEP_IO_REQUIRE_WRITABLE_H_

#include <filesystem>

namespace halfstep::io {

// Throws IoError, as AtomicFile would, unless a file can be written at `path`: the folder exists
// and takes new files, and `path` is not a folder. Makes nothing and leaves an old file as it is. A
// disk that is full later, or loses its permissions, passes the check.
void require_writable_file(const std::filesystem::path& path);

// Throws IoError unless `path` is a folder that takes new files, or make_folder() could make it.
// Makes nothing.
void require_writable_folder(const std::filesystem::path& path);

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_REQUIRE_WRITABLE_H_
