// A folder of images, searched recursively; links are followed (see folder_walk.h).
//
// If the folder contains dataset.json, that file has the labels (see dataset_json.h) and the images
// are sorted by name. Otherwise the class of an image is the top-level folder that contains it;
// classes and images are sorted by name, and images without a class folder have no labels. Names
// that begin with a dot, __MACOSX, Thumbs.db and folders without images are ignored; what else is
// not an image is counted in DatasetInfo::passed_over.
//
// A training folder beside a test or validation folder (see split_folders.h) is a split, which
// contains the class folders. A single folder that holds folders of images or dataset.json is
// entered. Where these rules may be wrong, DatasetInfo::warnings says what was done.
#ifndef HALFSTEP_DATA_IMAGE_FOLDER_H_
#define HALFSTEP_DATA_IMAGE_FOLDER_H_

#include <filesystem>
#include <memory>

#include "halfstep/data/dataset.h"

namespace halfstep::data {

// Returns whether `path` is a folder with at least one image.
bool is_image_folder(const std::filesystem::path& path);

// Throws ConfigError for a folder without images, for images next to class folders, for a missing
// test split, and for images of different sizes without options.image_size (see ImageFiles). Throws
// FormatError for a dataset.json that is invalid or lacks a label.
std::unique_ptr<Dataset> open_image_folder(const std::filesystem::path& path,
                                           const DatasetOptions& options);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_IMAGE_FOLDER_H_
