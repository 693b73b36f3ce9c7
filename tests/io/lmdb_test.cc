#include "halfstep/io/lmdb.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "halfstep/core/hex.h"
#include "tests/io/hostile.h"
#include "tests/io/lmdb_files.h"
#include "tests/io/temporary_folder.h"

namespace halfstep::io {
namespace {

using Entries = std::map<std::string, std::string>;

constexpr size_t kPage = 4096;

std::string value_at(const LmdbReader& database, size_t i) {
  std::string value(database.size(i), '\0');
  database.read_at(i, 0, std::as_writable_bytes(std::span(value)));
  return value;
}

Entries entries_of(const LmdbReader& database) {
  Entries entries;
  for (size_t i = 0; i < database.count(); ++i)
    entries.emplace(database.key(i), value_at(database, i));
  return entries;
}

// Returns entries like those of LSUN: keys of 40 digits in no order, values of up to six pages, of
// which the small ones lie in leaf pages.
Entries lsun_like(int count) {
  std::mt19937_64 random(1);
  Entries entries;
  for (int i = 0; i < count; ++i) {
    std::string key;
    for (int k = 0; k < 20; ++k) key += hex_digits(static_cast<unsigned char>(random()));
    const size_t size = random() % 3 == 0 ? random() % 2000 : random() % (6 * kPage);
    entries[key] = std::string(size, static_cast<char>(random()));
  }
  return entries;
}

class LmdbFile : public testing::Test {
 protected:
  void write(const Entries& entries) {
    write_lmdb(folder.path(), {entries.begin(), entries.end()});
  }
  Entries read() const { return entries_of(LmdbReader(file())); }
  std::filesystem::path file() const { return folder / "data.mdb"; }
  std::string contents() const { return read_file(file()); }

  TemporaryFolder folder;
};

TEST_F(LmdbFile, ReadsWhatLiblmdbWrote) {
  for (const int count : {0, 1, 2, 40, 3000}) {
    SCOPED_TRACE(count);
    std::filesystem::remove(file());
    const Entries entries = lsun_like(count);
    write(entries);
    EXPECT_EQ(read(), entries);
  }
}

TEST_F(LmdbFile, ReadsADatabaseThatWasChangedInManyTransactions) {
  Entries entries = lsun_like(600);
  write(entries);
  LmdbWriter writer(folder.path());
  std::mt19937_64 random(2);
  for (int round = 0; round < 30; ++round) {
    writer.transaction([&](MDB_txn* transaction, MDB_dbi database) {
      for (auto entry = entries.begin(); entry != entries.end();) {
        const auto action = random() % 20;
        if (action == 0) {
          remove(transaction, database, entry->first);
          entry = entries.erase(entry);
          continue;
        }
        if (action == 1) {
          entry->second = std::string(random() % (4 * kPage), 'n');
          put(transaction, database, entry->first, entry->second);
        }
        ++entry;
      }
    });
    ASSERT_EQ(read(), entries) << "round " << round;
  }
}

TEST_F(LmdbFile, ValuesAreReadInParts) {
  write({{"a", "short"}, {"b", std::string(9000, 'x') + "end"}});
  const LmdbReader database(file());
  std::string part(4, '\0');
  database.read_at(1, 8999, std::as_writable_bytes(std::span(part)));
  EXPECT_EQ(part, "xend");
  part.resize(3);
  database.read_at(0, 1, std::as_writable_bytes(std::span(part)));
  EXPECT_EQ(part, "hor");
}

TEST_F(LmdbFile, IntegerKeysAreReadInTheirOrder) {
  LmdbWriter(folder.path())
      .transaction(
          [](MDB_txn* transaction, MDB_dbi database) {
            for (uint32_t k = 0; k < 600; ++k)
              put(transaction, database, {reinterpret_cast<const char*>(&k), sizeof(k)}, "value");
          },
          nullptr, MDB_INTEGERKEY);
  const LmdbReader database(file());
  ASSERT_EQ(database.count(), 600u);
  EXPECT_EQ(database.key(256), std::string_view("\0\1\0\0", 4));
}

TEST_F(LmdbFile, NamedDatabasesAreRefusedByName) {
  const auto add = [](MDB_txn* transaction, MDB_dbi database) {
    put(transaction, database, "key", "value");
  };
  LmdbWriter(folder.path()).transaction(add, "photos");
  expect_error<FormatError>([&] { read(); }, "named database \"photos\"");
}

TEST_F(LmdbFile, SeveralValuesPerKeyAreRefused) {
  const auto add = [](MDB_txn* transaction, MDB_dbi database) {
    put(transaction, database, "key", "value");
    put(transaction, database, "key", "other");
  };
  LmdbWriter(folder.path()).transaction(add, nullptr, MDB_DUPSORT);
  expect_error<FormatError>([&] { read(); }, "one value per key");
}

TEST_F(LmdbFile, EveryCutFileIsRefused) {
  write(lsun_like(60));
  const std::string whole = contents();
  for (size_t size = 0; size < whole.size(); size += size < 2 * kPage ? 8 : 512) {
    SCOPED_TRACE(size);
    expect_error<FormatError>([&] { LmdbReader(whole.substr(0, size), "file"); }, "file: expected");
  }
}

TEST_F(LmdbFile, AFileThatIsCutWhileItIsOpenIsAnError) {
  write(lsun_like(60));
  const LmdbReader database(file());
  std::filesystem::resize_file(file(), 2 * kPage);
  expect_error<IoError>([&] { entries_of(database); }, "truncated after it was opened");
}

TEST_F(LmdbFile, AFlippedBitIsSurvived) {
  const Entries entries = lsun_like(5);
  write(entries);
  std::string bytes = contents();
  std::mt19937_64 random(3);
  int refused = 0;
  for (char& byte : bytes) {
    const char before = byte;
    byte = static_cast<char>(byte ^ 1 << random() % 8);
    try {
      entries_of(LmdbReader(bytes, "file"));
    } catch (const FormatError& error) {
      ++refused;
      EXPECT_EQ(std::string_view(error.what()).find('\n'), std::string_view::npos);
    }
    byte = before;
  }
  EXPECT_GT(refused, 100) << "the bits of headers, offsets and the order of keys";
  EXPECT_EQ(entries_of(LmdbReader(bytes, "file")), entries);
}

TEST_F(LmdbFile, APageThatIsUsedTwiceIsRefused) {
  write(lsun_like(3000));
  const std::string whole = contents();
  constexpr char kBranch = 1;
  int branches = 0;
  for (size_t page = 2 * kPage; page < whole.size(); page += kPage) {
    const std::string_view header(whole.data() + page, 16);
    uint64_t number = 0;
    std::memcpy(&number, header.data(), sizeof(number));
    if (number != page / kPage || header[10] != kBranch || header[11] != 0) continue;
    uint16_t node = 0;
    std::memcpy(&node, whole.data() + page + 16, sizeof(node));
    std::string cyclic = whole;
    std::memcpy(cyclic.data() + page + node, &number, 4);  // the first page below is this one
    // The write of one transaction left no pages that are not in use.
    expect_error<FormatError>([&] { LmdbReader(cyclic, "file"); }, "used twice");
    ++branches;
  }
  EXPECT_GE(branches, 2);
}

TEST_F(LmdbFile, OtherFilesAreRefused) {
  expect_error<FormatError>([] { LmdbReader("text", "file"); }, "a valid LMDB environment");
  expect_error<FormatError>([] { LmdbReader(std::string(10'000, '\0'), "file"); },
                            "a valid LMDB environment");
  write({{"a", "b"}});
  std::string next = contents();
  next[20] = 2;  // LMDB 1.0
  expect_error<FormatError>([&] { LmdbReader(next, "file"); }, "version 2");
}

}  // namespace
}  // namespace halfstep::io
