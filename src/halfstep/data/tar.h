// Reads tar archives (POSIX ustar) in memory.
#ifndef HALFSTEP_DATA_TAR_H_
#define HALFSTEP_DATA_TAR_H_

#include <string>
#include <string_view>
#include <vector>

namespace halfstep::data {

struct TarMember {
  std::string name;  // path in the archive
  std::string_view contents;
};

// Returns the regular files of an archive, in order. Their contents are views into `archive`.
// Folders, links and extension records are ignored. Throws FormatError, naming `name`, for a header
// with a wrong checksum or size and for a truncated archive.
std::vector<TarMember> read_tar(std::string_view archive, std::string_view name);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_TAR_H_
