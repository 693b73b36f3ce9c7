#include "halfstep/data/lmdb.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/data/image_files.h"
#include "halfstep/io/lmdb.h"
#include "halfstep/io/quote.h"

namespace halfstep::data {
namespace {

namespace fs = std::filesystem;

fs::path file_of(const fs::path& path) { return fs::is_directory(path) ? path / "data.mdb" : path; }

class LmdbSource : public ImageSource {
 public:
  explicit LmdbSource(const fs::path& path) : database_(file_of(path)) {
    for (size_t k = 0; k < database_.count(); ++k) {
      if (is_image(k)) images_.push_back(k);
    }
  }

  size_t count() const override { return images_.size(); }
  std::string name(size_t i) const override { return std::string(database_.key(images_[i])); }
  std::string path(size_t i) const override {
    return database_.name() + " key " + io::quote(database_.key(images_[i]));
  }
  uint64_t size(size_t i) const override { return database_.size(images_[i]); }
  std::vector<std::byte> read(size_t i) const override {
    if (size(i) > kMaxImageFile) {
      throw FormatError("lmdb", path(i) + ": expected an image of at most " +
                                    std::to_string(kMaxImageFile) + " bytes, received " +
                                    std::to_string(size(i)));
    }
    std::vector<std::byte> contents(size(i));
    database_.read_at(images_[i], 0, contents);
    return contents;
  }

 private:
  bool is_image(size_t k) const {
    std::array<std::byte, io::kImageSignature> buffer;
    const auto beginning =
        std::span(buffer).first(std::min<uint64_t>(buffer.size(), database_.size(k)));
    database_.read_at(k, 0, beginning);
    return io::begins_as_image(beginning);
  }

  const io::LmdbReader database_;
  std::vector<size_t> images_;  // their numbers in the database
};

}  // namespace

bool is_lmdb(const fs::path& path) {
  return fs::is_directory(path) ? fs::exists(path / "data.mdb") : path.extension() == ".mdb";
}

std::unique_ptr<Dataset> open_lmdb(const fs::path& path, const DatasetOptions& options) {
  require_train_split(options.split, path.string());
  DatasetInfo info{.name = fs::weakly_canonical(path).filename().string(), .format = "lmdb"};
  return std::make_unique<ImageFiles>(std::move(info), std::make_unique<LmdbSource>(path),
                                      std::vector<int32_t>(), options);
}

}  // namespace halfstep::data
