// A folder of PNG, JPEG and WebP images, searched to any depth.
//
// Where dataset.json lies in it, that has the labels (dataset_json.h) and the images are in the
// order of their names. Otherwise the class of an image is the top folder it lies in, in the order
// of their names; a folder without class folders has no labels. Names that begin with a dot and
// folders without images are passed over.
//
// Where the only folders are train and test (or val), they are the splits, and the classes lie in
// them. Otherwise everything is the training split.
#ifndef HALFSTEP_DATA_IMAGE_FOLDER_H_
#define HALFSTEP_DATA_IMAGE_FOLDER_H_

#include <filesystem>
#include <memory>

#include "halfstep/data/dataset.h"

namespace halfstep::data {

// Whether `path` is a folder with at least one image in it.
bool is_image_folder(const std::filesystem::path& path);

// Throws ConfigError for a folder without images, for one with images beside class folders, for a
// missing test split, and, without options.image_size, for mixed sizes: here if they are seen, else
// from read(). FormatError for a dataset.json that lacks a label or is broken.
std::unique_ptr<Dataset> open_image_folder(const std::filesystem::path& path,
                                           const DatasetOptions& options);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_IMAGE_FOLDER_H_
