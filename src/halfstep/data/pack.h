// Packs a data set into a zip in the format of EDM and StyleGAN, which image_zip.h can read. Image
// 12 is 00000/img00000012.png: eight digits, of which the first five name the folder. dataset.json
// has the labels (see dataset_json.h). The PNGs and the zip are not compressed, which makes reading
// faster.
#ifndef HALFSTEP_DATA_PACK_H_
#define HALFSTEP_DATA_PACK_H_

#include <cstdint>
#include <filesystem>
#include <functional>

#include "halfstep/data/dataset.h"

namespace halfstep::data {

// Writes the zip atomically to `path`. The same images give the same bytes. Needs memory for one
// image and about a kilobyte per image of the data set, for the zip's directory.
//
// Calls `keep_going` before each image with the number of images written so far. If it returns
// false, pack() stops, leaves no file and returns false; otherwise it returns true. Throws
// ConfigError for data that are not images and for more than a hundred million images, and what
// reading and writing throw.
bool pack(const Dataset& dataset, const std::filesystem::path& path,
          const std::function<bool(int64_t images)>& keep_going);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_PACK_H_
