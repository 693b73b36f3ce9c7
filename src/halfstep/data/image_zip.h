// A zip of PNG, JPEG and WebP images, with or without dataset.json (EDM). It is read like a folder
// with the same files (see image_folder.h). Entries may be stored or deflated. They are fetched
// when their image is read, and nothing is unpacked to disk.
#ifndef HALFSTEP_DATA_IMAGE_ZIP_H_
#define HALFSTEP_DATA_IMAGE_ZIP_H_

#include <filesystem>
#include <memory>
#include <string>

#include "halfstep/data/dataset.h"
#include "halfstep/io/zip.h"

namespace halfstep::data {

// Returns whether `path` is a .zip file, by name.
bool is_image_zip(const std::filesystem::path& path);

// Throws as open_image_folder. Also throws FormatError for a damaged zip, for an image of more than
// kMaxImageFile bytes, and for duplicate names.
std::unique_ptr<Dataset> open_image_zip(const std::filesystem::path& path,
                                        const DatasetOptions& options);
// The same for an open archive; `name` becomes the name of the data set.
std::unique_ptr<Dataset> open_image_zip(std::unique_ptr<const io::ZipReader> archive,
                                        std::string name, const DatasetOptions& options);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_IMAGE_ZIP_H_
