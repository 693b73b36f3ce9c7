// LSUN's databases, and others like them: an LMDB environment whose values are encoded images (WebP
// in LSUN's own, PNG and JPEG too) and whose keys name them. In the order of the keys, without
// labels.
//
// The environment is mapped and only ever read: it may be larger than memory, and no lock file is
// made or wanted. Nobody may write to it meanwhile, and it should come from somebody trusted: its
// length is checked here, but LMDB itself believes what its pages say.
#ifndef HALFSTEP_DATA_LMDB_H_
#define HALFSTEP_DATA_LMDB_H_

#include <filesystem>
#include <memory>

#include "halfstep/data/dataset.h"

namespace halfstep::data {

// Whether `path` is a folder with data.mdb in it, or an .mdb file, by name.
bool is_lmdb(const std::filesystem::path& path);

// Throws ConfigError for the test split (give the folder that holds it) and, without
// options.image_size, for mixed sizes, as all of LSUN's are; FormatError for a file that is no
// sound LMDB environment or is cut short, and for one without entries.
std::unique_ptr<Dataset> open_lmdb(const std::filesystem::path& path,
                                   const DatasetOptions& options);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_LMDB_H_
