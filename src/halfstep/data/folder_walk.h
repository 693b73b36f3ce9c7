// Walks through a folder of images on a disk and follows its links.
#ifndef HALFSTEP_DATA_FOLDER_WALK_H_
#define HALFSTEP_DATA_FOLDER_WALK_H_

#include <filesystem>

#include "halfstep/data/image_listing.h"

namespace halfstep::data {

// Returns the files below `root`. Links to files and to folders are followed; within a top-level
// folder, each folder is read once, so links may form circles, and not through a link if it is
// there itself. Throws IoError for a folder that cannot be read.
ImageListing list_folder(const std::filesystem::path& root);

// Returns whether there is an image below `root`. Throws as list_folder.
bool holds_image(const std::filesystem::path& root);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_FOLDER_WALK_H_
