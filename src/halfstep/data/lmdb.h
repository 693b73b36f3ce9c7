// LMDB environments whose values are encoded images (WebP, PNG or JPEG), such as those of LSUN.
// Images are in the order of their keys and have no labels.
//
// The environment is memory-mapped read-only, so it may be larger than memory, and no lock file is
// used or created. It must not be modified while it is open. Only open files from trusted sources:
// the length of the file is checked, but LMDB itself does not validate its pages.
#ifndef HALFSTEP_DATA_LMDB_H_
#define HALFSTEP_DATA_LMDB_H_

#include <filesystem>
#include <memory>

#include "halfstep/data/dataset.h"

namespace halfstep::data {

// Returns whether `path` is a folder that contains data.mdb, or an .mdb file. Looks at names only.
bool is_lmdb(const std::filesystem::path& path);

// Throws ConfigError for the test split (pass its own folder instead) and for images of different
// sizes without options.image_size; the images of LSUN differ in size. Throws FormatError if the
// file is not a valid LMDB environment, is truncated, or has no entries.
std::unique_ptr<Dataset> open_lmdb(const std::filesystem::path& path,
                                   const DatasetOptions& options);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_LMDB_H_
