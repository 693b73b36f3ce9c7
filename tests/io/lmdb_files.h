// Writes LMDB environments with liblmdb, for the tests that read them.
#ifndef HALFSTEP_TESTS_IO_LMDB_FILES_H_
#define HALFSTEP_TESTS_IO_LMDB_FILES_H_

#include <lmdb.h>

#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace halfstep::io {

// An environment in a folder, open for writing. Its lock file is removed at the end.
class LmdbWriter {
 public:
  explicit LmdbWriter(std::filesystem::path folder);
  ~LmdbWriter();
  LmdbWriter(const LmdbWriter&) = delete;
  LmdbWriter& operator=(const LmdbWriter&) = delete;

  // Calls `write` with a database within one transaction. The name is null for the unnamed one.
  void transaction(const std::function<void(MDB_txn*, MDB_dbi)>& write, const char* name = nullptr,
                   unsigned flags = 0);

 private:
  std::filesystem::path folder_;
  MDB_env* environment_ = nullptr;
};

// Adds an entry, or replaces it.
void put(MDB_txn* transaction, MDB_dbi database, std::string key, std::string value);
// Removes an entry.
void remove(MDB_txn* transaction, MDB_dbi database, std::string key);

// Writes an environment with these entries in its unnamed database.
void write_lmdb(const std::filesystem::path& folder,
                const std::vector<std::pair<std::string, std::string>>& entries);

}  // namespace halfstep::io

#endif  // HALFSTEP_TESTS_IO_LMDB_FILES_H_
