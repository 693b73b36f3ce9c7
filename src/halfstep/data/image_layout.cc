#include "halfstep/data/image_layout.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/core/listed.h"
#include "halfstep/data/dataset_json.h"
#include "halfstep/data/split_folders.h"
#include "halfstep/io/quote.h"

namespace halfstep::data {
namespace {

using Split = DatasetOptions::Split;

std::string join(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder + '/' + name;
}

// Returns whether a path has folders below its top-level folder.
bool is_nested(const std::string& name) {
  const size_t slash = name.find('/');
  return slash != name.npos && name.find('/', slash + 1) != name.npos;
}

// Goes down from the top to the folder that holds the classes.
class Descent {
 public:
  Descent(const ImageTree& tree, Split split, const std::string& where)
      : tree_(tree), split_(split), where_(where), listing_(tree.list("")) {}

  LabelledNames labelled() {
    while (!listing_.has_dataset_json && (enter_split() || enter_single_folder())) {
    }
    if (split_ == Split::test && !found_split_) fail_without_split();
    LabelledNames images = listing_.has_dataset_json ? labelled_by_json() : classes_by_folder();
    images.folder = folder_;
    passed_over_ += listing_.all_passed_over();
    images.passed_over = std::move(passed_over_);
    images.warnings.insert(images.warnings.begin(), warnings_.begin(), warnings_.end());
    return images;
  }

 private:
  void enter(const std::string& name, ImageListing inside) {
    folder_ = join(folder_, name);
    listing_ = std::move(inside);
  }

  [[noreturn]] void fail_without_split() const {
    throw ConfigError("images", where_ +
                                    ": expected the folders train and test for the test split, "
                                    "received other folders; pass the path of the test images and "
                                    "do not select a split");
  }

  bool enter_split() {
    if (found_split_ || !listing_.loose.empty()) return false;
    const SplitFolders splits = split_folders(listing_);
    if (!splits.are_splits) return false;
    const std::string name = splits.of(split_, where_);
    if (const std::vector<std::string> unused = splits.unused(); !unused.empty())
      warnings_.push_back("folders beside the splits are not used: " + quoted(unused));
    // What is passed over in the other splits does not belong to this one.
    if (const auto here = listing_.passed_over.find(""); here != listing_.passed_over.end())
      passed_over_ += here->second;
    found_split_ = true;
    enter(name, tree_.list(join(folder_, name)));
    return true;
  }

  // Enters the only folder if it is not a class: it holds folders alone, or dataset.json, or has
  // the name of a split.
  bool enter_single_folder() {
    if (!listing_.loose.empty() || listing_.folders.size() != 1) return false;
    const std::string name = listing_.folders.begin()->first;
    ImageListing inside = tree_.list(join(folder_, name));
    const std::optional<SplitKind> kind = found_split_ ? std::nullopt : split_kind(name);
    const bool holds_classes = inside.loose.empty() && !inside.folders.empty();
    if (!kind && !holds_classes && !inside.has_dataset_json) return false;
    if (kind) {
      if ((*kind == SplitKind::train) != (split_ == Split::train)) {
        if (split_ == Split::test) return false;
        warnings_.push_back("the only folder is " + io::quote(name) +
                            "; its images are used for the training split");
      } else if (*kind == SplitKind::train) {
        warnings_.push_back("the folder " + io::quote(name) +
                            " has no other split beside it: there are no images for a test");
      }
      found_split_ = true;
    }
    passed_over_ += listing_.all_passed_over(name);
    enter(name, std::move(inside));
    return true;
  }

  LabelledNames labelled_by_json() const {
    std::vector<std::string> names = listing_.sorted();
    const std::vector<std::byte> bytes =
        tree_.read_dataset_json(folder_, max_dataset_json(names.size()));
    return classes_by_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                           std::move(names), where_ + ' ' + join(folder_, kDatasetJson));
  }

  static std::string quoted(std::vector<std::string> names) {
    std::ranges::transform(names, names.begin(),
                           [](const std::string& name) { return io::quote(name); });
    return listed(names, /*most=*/3);
  }

  void require_classes_or_none() const {
    const std::string at = where_ + (folder_.empty() ? "" : ' ' + folder_);
    if (listing_.empty()) {
      PassedOver passed_over = passed_over_;
      passed_over += listing_.all_passed_over();
      throw ConfigError("images", at + ": expected images, received none" +
                                      (passed_over.empty() ? "" : "; passed over: ") +
                                      passed_over.text());
    }
    if (listing_.loose.empty() || listing_.folders.empty()) return;
    throw ConfigError("images", at + ": expected images in class folders or none, received " +
                                    std::to_string(listing_.loose.size()) +
                                    " images next to folders of images, such as " +
                                    listing_.loose.front() +
                                    "; move them into a class folder or delete them");
  }

  LabelledNames classes_by_folder() {
    require_classes_or_none();
    LabelledNames result;
    result.names = listing_.loose;
    std::ranges::sort(result.names);
    std::vector<std::string> like_splits;
    std::string nested;
    for (const auto& [name, inside] : listing_.folders) {
      const auto first = static_cast<ptrdiff_t>(result.names.size());
      result.names.insert(result.names.end(), inside.begin(), inside.end());
      std::ranges::sort(result.names.begin() + first, result.names.end());
      result.labels.resize(result.names.size(), static_cast<int32_t>(result.num_classes++));
      // Class names go into JSON, which must be UTF-8, and onto terminals.
      result.class_names.push_back(one_line(name));
      if (resembles_split(name)) like_splits.push_back(name);
      const auto found = std::ranges::find_if(inside, is_nested);
      if (nested.empty() && found != inside.end()) nested = *found;
    }
    warn_of_classes(like_splits, nested);
    return result;
  }

  void warn_of_classes(const std::vector<std::string>& like_splits, const std::string& nested) {
    if (!like_splits.empty()) {
      warnings_.push_back("taken as classes, not as splits: " + quoted(like_splits) +
                          "; splits are a folder train and a folder test, validation or val");
    }
    if (!nested.empty()) {
      const std::string folder = nested.substr(0, nested.rfind('/'));
      warnings_.push_back("class folders hold folders, such as " + io::quote(folder) +
                          ": the class of an image is its top-level folder, here " +
                          io::quote(folder.substr(0, folder.find('/'))));
    }
  }

  const ImageTree& tree_;
  Split split_;
  const std::string& where_;
  std::string folder_;    // so far
  ImageListing listing_;  // of that folder
  bool found_split_ = false;
  PassedOver passed_over_;  // above it
  std::vector<std::string> warnings_;
};

}  // namespace

ImageTree::~ImageTree() = default;

LabelledNames labelled_images(const ImageTree& tree, Split split, const std::string& where) {
  return Descent(tree, split, where).labelled();
}

}  // namespace halfstep::data
