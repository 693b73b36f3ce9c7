// Looking into a tar archive (POSIX ustar) in memory.
#ifndef HALFSTEP_DATA_TAR_H_
#define HALFSTEP_DATA_TAR_H_

#include <string>
#include <string_view>
#include <vector>

namespace halfstep::data {

struct TarMember {
  std::string name;  // as the archive has it, folders included
  std::string_view contents;
};

// The regular files of an archive, in its order; `contents` look into `archive`. Folders, links and
// extension records are passed over. Throws FormatError naming `name` for a header whose checksum
// or size is wrong and for an archive that is cut short.
std::vector<TarMember> read_tar(std::string_view archive, std::string_view name);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_TAR_H_
