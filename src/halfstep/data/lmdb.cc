#include "halfstep/data/lmdb.h"

#include <span>
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
  explicit LmdbSource(const fs::path& path) : database_(file_of(path)) {}

  size_t count() const override { return database_.count(); }
  std::string name(size_t i) const override { return std::string(database_.key(i)); }
  std::string path(size_t i) const override {
    return database_.name() + " key " + io::quote(database_.key(i));
  }
  uint64_t size(size_t i) const override { return database_.size(i); }
  std::vector<std::byte> read(size_t i) const override {
    if (size(i) > kMaxImageFile) {
      throw FormatError("lmdb", path(i) + ": expected an image of at most " +
                                    std::to_string(kMaxImageFile) + " bytes, received " +
                                    std::to_string(size(i)));
    }
    std::vector<std::byte> contents(size(i));
    database_.read_at(i, 0, contents);
    return contents;
  }
  std::vector<std::byte> read_ends(size_t i, size_t count) const override {
    if (size(i) <= 2 * count) return read(i);
    std::vector<std::byte> ends(2 * count);
    database_.read_at(i, 0, std::span(ends).first(count));
    database_.read_at(i, size(i) - count, std::span(ends).last(count));
    return ends;
  }
  bool holds_other_entries() const override { return true; }

 private:
  const io::LmdbReader database_;
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
