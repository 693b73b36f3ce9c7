// Packs a data set into the zip that EDM's and StyleGAN's tools write and read (image_zip.h reads
// it, too): image i, in eight digits, is 00000/img00000000.png and so on, the folder being the
// first five; then dataset.json has the labels (dataset_json.h). PNG and zip are uncompressed, for
// they are read again and again.
#ifndef HALFSTEP_DATA_PACK_H_
#define HALFSTEP_DATA_PACK_H_

#include <cstdint>
#include <filesystem>
#include <functional>

#include "halfstep/data/dataset.h"

namespace halfstep::data {

// Writes `path` atomically; the same images give the same bytes. Takes one image and about a
// kilobyte for each that there is, the zip's directory.
// `go_on` is told how many images are written and says whether to go on: where it says no, nothing
// is left and the result is false. Throws ConfigError for more than a hundred million images, and
// what reading them throws.
bool pack(const Dataset& dataset, const std::filesystem::path& path,
          const std::function<bool(int64_t images)>& go_on);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_PACK_H_
