// Reads zip archives entry by entry and writes whole archives, by libzip.
#ifndef HALFSTEP_IO_ZIP_H_
#define HALFSTEP_IO_ZIP_H_

#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/io/file.h"

struct zip;       // libzip's zip_t
struct zip_file;  // libzip's zip_file_t

namespace halfstep::io {

namespace internal {
struct DiscardZip {
  void operator()(zip* archive) const;
};
using ZipHandle = std::unique_ptr<zip, DiscardZip>;

struct CloseZipEntry {
  void operator()(zip_file* entry) const;
};
using ZipEntryHandle = std::unique_ptr<zip_file, CloseZipEntry>;
}  // namespace internal

struct ZipEntry {
  std::string name;  // as in the archive; not to be opened as a path
  std::uint64_t index = 0;
  std::uint64_t size = 0;   // claimed size after unpacking, in bytes; may be wrong
  bool stored = false;      // not compressed
  std::uint32_t crc32 = 0;  // of the contents, as the directory says; read() verifies it
  bool is_link = false;     // a symbolic link; its contents are the path of the target
};

// An archive open for reading. Entries are unpacked on request and never to disk. Thread-safe; a
// mutex serialises the reads.
class ZipReader {
 public:
  // Throws IoError if the file cannot be read and FormatError if it is not a zip file.
  explicit ZipReader(const std::filesystem::path& path);
  // The same for an archive in memory, which must outlive this object; `name` is used in messages.
  ZipReader(std::span<const std::byte> contents, std::string name);

  const std::string& name() const { return name_; }

  // Returns the directory, in the order of the archive. Throws FormatError if it is damaged.
  std::vector<ZipEntry> entries() const;

  // Returns the contents of an entry and verifies its checksum. Throws FormatError if the entry is
  // neither stored nor deflated, is damaged, or has another size than claimed, and, before anything
  // is unpacked, if it claims more than `max_size` bytes.
  std::vector<std::byte> read(const ZipEntry& entry, std::uint64_t max_size) const;

  // The same, but calls `consume` with one piece at a time, for entries larger than memory.
  void read_pieces(const ZipEntry& entry,
                   const std::function<void(std::span<const std::byte>)>& consume) const;

  // Fills `to` with the bytes at `offset` of a stored entry, without reading the bytes before and
  // without verifying the checksum.
  void read_at(const ZipEntry& entry, std::uint64_t offset, std::span<std::byte> to) const;

 private:
  [[noreturn]] void fail(const ZipEntry& entry, const std::string& what) const;
  internal::ZipEntryHandle open_entry(const ZipEntry& entry) const;

  std::string name_;
  mutable std::mutex mutex_;  // libzip's handle is not thread-safe
  internal::ZipHandle archive_;
};

// Writes an archive atomically (see io/file.h). Entries are stored uncompressed, dated 1980-01-01
// and in the order in which they were added, so the same entries give the same bytes. Not
// thread-safe.
class ZipWriter {
 public:
  // Throws IoError if the file cannot be created.
  explicit ZipWriter(const std::filesystem::path& path);
  ~ZipWriter();  // discards the archive unless it has been committed
  ZipWriter(const ZipWriter&) = delete;
  ZipWriter& operator=(const ZipWriter&) = delete;

  // Adds an entry whose contents are produced by commit(), which calls the functions one after
  // another and holds only one result in memory. commit() rethrows what `contents` throws. Throws
  // ConfigError for an invalid name or one that was added before.
  void add(const std::string& name, std::function<std::vector<std::byte>()> contents);
  // Adds an entry with the concatenation of `parts`, which must stay valid until commit().
  void add(const std::string& name, std::vector<std::span<const std::byte>> parts);

  // Writes the archive. Throws IoError if it cannot be written.
  void commit();

 private:
  struct Entry;
  struct Callbacks;

  void add_entry(const std::string& name, std::unique_ptr<Entry> entry);

  std::filesystem::path path_;
  AtomicFile file_;
  std::exception_ptr failure_;  // the first exception thrown in a callback of libzip
  std::vector<std::unique_ptr<Entry>> entries_;
  internal::ZipHandle archive_;
};

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_ZIP_H_
