// A zip of PNG, JPEG and WebP images, read as the folder that it was made of would be
// (image_folder.h), with dataset.json (EDM) or without. Nothing is unpacked to disk: an entry,
// stored or deflated, is fetched when its image is read.
#ifndef HALFSTEP_DATA_IMAGE_ZIP_H_
#define HALFSTEP_DATA_IMAGE_ZIP_H_

#include <filesystem>
#include <memory>
#include <string>

#include "halfstep/data/dataset.h"
#include "halfstep/io/zip.h"

namespace halfstep::data {

// Whether `path` is a .zip file, by name.
bool is_image_zip(const std::filesystem::path& path);

// Throws as open_image_folder; FormatError also for a broken zip, for an image of more than
// kMaxImageFile bytes, and for two entries of one name.
std::unique_ptr<Dataset> open_image_zip(const std::filesystem::path& path,
                                        const DatasetOptions& options);
// The same of an archive that is open; `name` becomes the data set's.
std::unique_ptr<Dataset> open_image_zip(std::unique_ptr<const io::ZipReader> archive,
                                        std::string name, const DatasetOptions& options);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_IMAGE_ZIP_H_
