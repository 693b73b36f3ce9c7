// LMDB environments whose values are encoded images (WebP, PNG or JPEG), such as those of LSUN.
// Images are in the order of their keys and have no labels. Values that are no images, such as the
// number under the key "length" of StyleGAN2's databases, are passed over.
//
// The environment is read with pread and may be larger than memory; no lock file is used or
// created. It must not be modified while it is open.
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
// file is not a valid LMDB environment (io/lmdb.h), and ConfigError if it holds no images.
std::unique_ptr<Dataset> open_lmdb(const std::filesystem::path& path,
                                   const DatasetOptions& options);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_LMDB_H_
