// A folder of PNG, JPEG and WebP images, searched recursively.
//
// If the folder contains dataset.json, that file has the labels (see dataset_json.h) and the images
// are sorted by name. Otherwise the class of an image is the top-level folder that contains it;
// classes and images are sorted by name, and images without a class folder have no labels. Names
// that begin with a dot and folders without images are ignored.
//
// If the only folders are train and test (or val), they are the splits and contain the class
// folders. Otherwise all images are the training split.
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
