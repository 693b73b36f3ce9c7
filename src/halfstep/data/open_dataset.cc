#include "halfstep/data/open_dataset.h"

#include <algorithm>
#include <string>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/data/cifar10.h"
#include "halfstep/data/folder_walk.h"
#include "halfstep/data/idx.h"
#include "halfstep/data/image_folder.h"
#include "halfstep/data/image_zip.h"
#include "halfstep/data/imagenet_npz.h"
#include "halfstep/data/lmdb.h"
#include "halfstep/data/npy_dataset.h"
#include "halfstep/io/system_error.h"

namespace halfstep::data {
namespace {

namespace fs = std::filesystem;

// Describes a path for messages, such as "a folder with 7 entries (a, b, c, ...) that hold 16 files
// (16 .heic)".
std::string description_of(const fs::path& path) {
  if (!fs::is_directory(path)) return "a file of another format";
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
    names.push_back(entry.path().filename().string());
  }
  if (names.empty()) return "an empty folder";
  std::ranges::sort(names);
  constexpr size_t kNamed = 3;
  std::string text = "a folder with " + std::to_string(names.size()) + " entries (";
  for (size_t i = 0; i < std::min(names.size(), kNamed); ++i)
    text += (i > 0 ? ", " : "") + names[i];
  text += names.size() > kNamed ? ", ...)" : ")";
  const PassedOver other = list_folder(path).all_passed_over();
  return text + (other.empty() ? "" : " that hold " + other.text());
}

std::unique_ptr<Dataset> open_existing(const fs::path& path, const DatasetOptions& options) {
  if (is_idx(path)) return open_idx(path, options);
  if (is_cifar10(path)) return open_cifar10(path, options);
  if (is_npy(path)) return open_npy(path, options);
  if (is_imagenet_npz(path)) return open_imagenet_npz(path, options);
  if (is_image_zip(path)) return open_image_zip(path, options);
  if (is_lmdb(path)) return open_lmdb(path, options);
  if (is_image_folder(path)) return open_image_folder(path, options);
  throw ConfigError(
      "dataset",
      path.string() +
          ": expected IDX files (MNIST family), CIFAR-10's binary version (folder or tar.gz), a "
          ".npy file, downsampled ImageNet's .npz batches, an LMDB (LSUN), or a folder or zip of "
          "PNG, JPEG, WebP, GIF, TIFF or BMP images, received " +
          description_of(path) +
          (fs::exists(path / "data_batch_1") || fs::exists(path / "cifar-10-batches-py")
               ? "; CIFAR-10's Python version is not supported, download cifar-10-binary.tar.gz"
               : ""));
}

}  // namespace

std::unique_ptr<Dataset> open_dataset(const fs::path& path, const DatasetOptions& options) {
  validate(options);
  try {
    if (!fs::exists(path)) {
      throw IoError("dataset", path.string() +
                                   ": expected a file or folder, received a path that "
                                   "does not exist");
    }
    return open_existing(path, options);
  } catch (const fs::filesystem_error& error) {  // for example, a folder without read permission
    throw io::io_error(error);
  }
}

}  // namespace halfstep::data
