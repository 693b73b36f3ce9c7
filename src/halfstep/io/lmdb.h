// Reads LMDB environments (data version 1, 64-bit, little-endian), without liblmdb and without a
// memory map: every page is read with pread and checked before it is used, so a damaged, cut or
// malicious file causes an error instead of killing the process (docs/decisions/027).
//
// Reads the unnamed database of the newest transaction. The file must not be written meanwhile.
#ifndef HALFSTEP_IO_LMDB_H_
#define HALFSTEP_IO_LMDB_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace halfstep::io {

// Const calls are thread-safe.
class LmdbReader {
 public:
  // Reads all keys, in about 24 bytes of memory each and their length. Throws IoError if the file
  // cannot be read, and FormatError if it is no such environment, is cut short or damaged, or holds
  // named databases or keys with several values.
  explicit LmdbReader(const std::filesystem::path& path);
  // The same for the contents of a file; `name` is used in messages.
  LmdbReader(std::string contents, std::string name);

  const std::string& name() const { return name_; }
  // Returns the number of entries. They are in the order of the database.
  std::size_t count() const { return entries_.size(); }
  std::string_view key(std::size_t i) const;
  // Returns the size of a value in bytes.
  std::uint64_t size(std::size_t i) const { return entries_[i].value_size; }
  // Fills `to` with the bytes at `offset` of a value. Throws FormatError if the value is damaged,
  // and IoError if the file was truncated after it was opened.
  void read_at(std::size_t i, std::uint64_t offset, std::span<std::byte> to) const;

 private:
  using ReadAt = std::function<void(std::uint64_t offset, std::span<std::byte> to)>;
  struct Entry {
    std::uint64_t key_offset;  // in keys_
    std::uint64_t value_offset;
    std::uint32_t value_size;
    std::uint16_t key_size;
    bool has_pages;  // the value has overflow pages of its own, and begins after their header
  };
  class Listing;

  void open(std::uint64_t file_size);

  std::string name_;
  ReadAt read_at_;
  std::uint64_t page_size_ = 0;
  std::string keys_;  // one after another
  std::vector<Entry> entries_;
};

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_LMDB_H_
