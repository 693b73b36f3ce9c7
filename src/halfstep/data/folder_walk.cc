#include "halfstep/data/folder_walk.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/io/system_error.h"

namespace halfstep::data {
namespace {

namespace fs = std::filesystem;

using FolderId = std::pair<dev_t, ino_t>;

[[noreturn]] void fail(const fs::path& path, int error) {
  throw IoError("dataset", path.string() + ": expected a readable file or folder, received " +
                               io::errno_text(error) + "; " + io::errno_advice(error));
}

class Walk {
 public:
  // Stops at the first image if `one_image`.
  Walk(fs::path root, bool one_image) : root_(std::move(root)), one_image_(one_image) {}

  ImageListing run() {
    const FolderId top = id_of(root_);
    std::vector<std::string> folders = read("");
    std::ranges::sort(folders);
    std::vector<std::string> links = std::exchange(links_, {});
    std::ranges::sort(links);
    for (std::vector<std::string>* names : {&folders, &links}) {
      for (const std::string& name : *names) {
        read_ = {top};
        read_once(name, names == &links);
        follow_links();
        if (done()) return std::move(listing_);
      }
    }
    return std::move(listing_);
  }

 private:
  bool done() const { return one_image_ && !listing_.empty(); }

  FolderId id_of(const fs::path& path) const {
    struct stat status = {};
    if (::stat(path.c_str(), &status) != 0) fail(path, errno);
    return {status.st_dev, status.st_ino};
  }

  // Reads a folder and those below it, except those that were read already.
  void read_once(const std::string& name, bool is_link) {
    std::vector<std::string> left = {name};
    while (!left.empty() && !done()) {
      const std::string folder = std::move(left.back());
      left.pop_back();
      if (!read_.insert(id_of(root_ / folder)).second) {
        if (is_link) ++listing_.passed_over_at(folder + '/').links;
        continue;
      }
      const std::vector<std::string> inside = read(folder);
      left.insert(left.end(), inside.begin(), inside.end());
    }
  }

  // Follows the links to folders that were found, and those found behind them.
  void follow_links() {
    while (!links_.empty() && !done()) {
      std::vector<std::string> links = std::exchange(links_, {});
      std::ranges::sort(links);
      for (const std::string& link : links) read_once(link, true);
    }
  }

  // Adds the files in a folder, and collects the links to folders. Returns the folders in it.
  std::vector<std::string> read(const std::string& folder) {
    std::vector<std::string> folders;
    std::error_code error;
    bool is_empty = true;
    for (fs::directory_iterator it(root_ / folder, error), end; !error && it != end && !done();
         it.increment(error)) {
      is_empty = false;
      const std::string file = it->path().filename().string();
      std::string name = folder.empty() ? file : folder + '/' + file;
      if (is_clutter(file)) continue;
      // The system has told the type with the name: no call for each file.
      if (it->is_symlink(error)) {
        add_link(std::move(name));
      } else if (it->is_directory(error)) {
        folders.push_back(std::move(name));
      } else {
        add_file(std::move(name), it->is_regular_file(error));
      }
      if (error) break;
    }
    if (error) fail(root_ / folder, error.value());
    if (is_empty && !folder.empty()) ++listing_.passed_over_at(folder + '/').empty_folders;
    return folders;
  }

  void add_link(std::string name) {
    struct stat status = {};
    if (::stat((root_ / name).c_str(), &status) != 0) {
      const bool broken =
          errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == ENAMETOOLONG;
      if (!broken) fail(root_ / name, errno);
      ++listing_.passed_over_at(name).broken_links;
    } else if (S_ISDIR(status.st_mode)) {
      links_.push_back(std::move(name));
    } else {
      add_file(std::move(name), S_ISREG(status.st_mode));
    }
  }

  void add_file(std::string name, bool is_regular) {
    if (is_regular) {
      listing_.add(std::move(name));
    } else {
      ++listing_.passed_over_at(name).special_files;
    }
  }

  fs::path root_;
  bool one_image_;
  ImageListing listing_;
  std::set<FolderId> read_;         // within the present top-level folder
  std::vector<std::string> links_;  // to folders, to be followed
};

}  // namespace

ImageListing list_folder(const fs::path& root) { return Walk(root, false).run(); }

bool holds_image(const fs::path& root) { return !Walk(root, true).run().empty(); }

}  // namespace halfstep::data
