#include "tests/io/lmdb_files.h"

#include <stdexcept>
#include <utility>

namespace halfstep::io {
namespace {

void require(int code) {
  if (code != MDB_SUCCESS) throw std::runtime_error(mdb_strerror(code));
}

MDB_val value_of(std::string& text) { return {text.size(), text.data()}; }

}  // namespace

LmdbWriter::LmdbWriter(std::filesystem::path folder) : folder_(std::move(folder)) {
  constexpr size_t kMapSize = size_t{1} << 28;
  std::filesystem::create_directories(folder_);
  require(mdb_env_create(&environment_));
  require(mdb_env_set_mapsize(environment_, kMapSize));
  require(mdb_env_set_maxdbs(environment_, 4));
  require(mdb_env_open(environment_, folder_.c_str(), MDB_NOSYNC, 0644));
}

LmdbWriter::~LmdbWriter() {
  mdb_env_close(environment_);
  std::filesystem::remove(folder_ / "lock.mdb");
}

void LmdbWriter::transaction(const std::function<void(MDB_txn*, MDB_dbi)>& write, const char* name,
                             unsigned flags) {
  MDB_txn* transaction = nullptr;
  MDB_dbi database = 0;
  require(mdb_txn_begin(environment_, nullptr, 0, &transaction));
  require(mdb_dbi_open(transaction, name, MDB_CREATE | flags, &database));
  write(transaction, database);
  require(mdb_txn_commit(transaction));
}

void put(MDB_txn* transaction, MDB_dbi database, std::string key, std::string value) {
  MDB_val k = value_of(key), v = value_of(value);
  require(mdb_put(transaction, database, &k, &v, 0));
}

void remove(MDB_txn* transaction, MDB_dbi database, std::string key) {
  MDB_val k = value_of(key);
  require(mdb_del(transaction, database, &k, nullptr));
}

void write_lmdb(const std::filesystem::path& folder,
                const std::vector<std::pair<std::string, std::string>>& entries) {
  LmdbWriter writer(folder);
  writer.transaction([&](MDB_txn* transaction, MDB_dbi database) {
    for (const auto& [key, value] : entries) put(transaction, database, key, value);
  });
}

}  // namespace halfstep::io
