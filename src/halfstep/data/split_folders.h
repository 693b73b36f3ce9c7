// Recognises the folders of training, test and validation images by their names.
#ifndef HALFSTEP_DATA_SPLIT_FOLDERS_H_
#define HALFSTEP_DATA_SPLIT_FOLDERS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/data/dataset.h"
#include "halfstep/data/image_listing.h"

namespace halfstep::data {

enum class SplitKind { train, test, validation };

// Returns the split that a folder's name, in any case, stands for: train or training; test or
// testing; val, valid, validation or dev.
std::optional<SplitKind> split_kind(std::string_view name);

// Returns whether a name is that of a split, perhaps with something after it: train2017, test_set.
bool resembles_split(std::string_view name);

// The top-level folders of a listing.
struct SplitFolders {
  std::vector<std::string> train, test, validation;
  std::vector<std::string> others;  // that have no name of a split
  // A training folder has another split beside it, and either all folders have names of splits or
  // the training folder holds folders, those of its classes. So a class named "train" beside one
  // named "ship" is a class.
  bool are_splits = false;

  // Returns the folders that are of neither split.
  std::vector<std::string> unused() const;

  // Returns the folder of a split. The validation images replace missing test images. Throws
  // ConfigError, naming `where`, if there are several.
  std::string of(DatasetOptions::Split split, const std::string& where) const;
};

SplitFolders split_folders(const ImageListing& listing);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_SPLIT_FOLDERS_H_
