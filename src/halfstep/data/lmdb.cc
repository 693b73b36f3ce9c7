#include "halfstep/data/lmdb.h"

#include <lmdb.h>

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/data/image_files.h"
#include "halfstep/io/file.h"
#include "halfstep/io/quote.h"

namespace halfstep::data {
namespace {

namespace fs = std::filesystem;

fs::path file_of(const fs::path& path) { return fs::is_directory(path) ? path / "data.mdb" : path; }

class LmdbSource : public ImageSource {
 public:
  explicit LmdbSource(const fs::path& path) : file_(file_of(path)) {
    // Reading first reports missing and unreadable files as for all other formats.
    (void)io::read_bytes(file_, 1);
    require(mdb_env_create(&environment_));
    open();
  }
  ~LmdbSource() override { close(); }
  LmdbSource(const LmdbSource&) = delete;
  LmdbSource& operator=(const LmdbSource&) = delete;

  size_t count() const override { return images_.size(); }
  std::string name(size_t i) const override { return std::string(images_[i].key); }
  std::string path(size_t i) const override {
    return file_.string() + " key " + io::quote(images_[i].key);
  }
  uint64_t size(size_t i) const override { return images_[i].bytes.size(); }
  std::vector<std::byte> read(size_t i) const override {
    return {images_[i].bytes.begin(), images_[i].bytes.end()};
  }

 private:
  // Views into the map, valid as long as the transaction is open, which is the lifetime of this
  // object.
  struct Image {
    std::string_view key;
    std::span<const std::byte> bytes;
  };

  [[noreturn]] void fail(const std::string& expected, const std::string& received) {
    throw FormatError("lmdb", file_.string() + ": expected " + expected + ", received " + received);
  }

  void require(int code) {
    if (code != MDB_SUCCESS) fail("a valid LMDB environment", io::quote(mdb_strerror(code)));
  }

  void open() {
    try {
      // NOLOCK: do not create a lock file. NOTLS: do not tie the transaction to this thread.
      // NORDAHEAD: images are read in random order.
      constexpr unsigned kFlags =
          MDB_RDONLY | MDB_NOLOCK | MDB_NOTLS | MDB_NORDAHEAD | MDB_NOSUBDIR;
      require(mdb_env_open(environment_, file_.c_str(), kFlags, 0));
      require_whole();
      require(mdb_txn_begin(environment_, nullptr, MDB_RDONLY, &transaction_));
      MDB_dbi database = 0;
      require(mdb_dbi_open(transaction_, nullptr, 0, &database));
      require(mdb_cursor_open(transaction_, database, &cursor_));
      list();
    } catch (...) {
      close();
      throw;
    }
  }

  // Rejects a truncated file: the map is as long as the header claims, and reading it beyond the
  // end of the file would kill the process.
  void require_whole() {
    MDB_envinfo info;
    MDB_stat stat;
    require(mdb_env_info(environment_, &info));
    require(mdb_env_stat(environment_, &stat));
    const uint64_t received = fs::file_size(file_);
    if (stat.ms_psize == 0 || info.me_last_pgno >= received / stat.ms_psize) {
      fail(std::to_string(info.me_last_pgno + 1) + " pages of " + std::to_string(stat.ms_psize) +
               " bytes",
           std::to_string(received) + " bytes; the file is truncated, download it again");
    }
  }

  void list() {
    MDB_val key, value;
    int code = MDB_SUCCESS;
    while ((code = mdb_cursor_get(cursor_, &key, &value, MDB_NEXT)) == MDB_SUCCESS) {
      images_.push_back({{static_cast<const char*>(key.mv_data), key.mv_size},
                         {static_cast<const std::byte*>(value.mv_data), value.mv_size}});
    }
    if (code != MDB_NOTFOUND) require(code);
    if (images_.empty()) fail("encoded images", "an environment without entries");
  }

  void close() {
    if (cursor_ != nullptr) mdb_cursor_close(cursor_);
    if (transaction_ != nullptr) mdb_txn_abort(transaction_);
    if (environment_ != nullptr) mdb_env_close(environment_);
    cursor_ = nullptr;
    transaction_ = nullptr;
    environment_ = nullptr;
  }

  fs::path file_;
  MDB_env* environment_ = nullptr;
  MDB_txn* transaction_ = nullptr;
  MDB_cursor* cursor_ = nullptr;
  std::vector<Image> images_;
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
