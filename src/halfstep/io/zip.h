// Zip archives, through libzip: read entry by entry, written whole.
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
struct zip_file;  // and zip_file_t

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
  std::string name;  // as the archive has it, never a path to open
  std::uint64_t index = 0;
  std::uint64_t size = 0;  // bytes when unpacked, as stated: believed only as far as data come
  bool stored = false;     // as it is, not deflated
};

// An archive open for reading. Nothing is unpacked before it is asked for, and nothing to disk. May
// be used from several threads at once: bytes are fetched one entry at a time.
class ZipReader {
 public:
  // IoError if the file cannot be read, FormatError if it is no zip.
  explicit ZipReader(const std::filesystem::path& path);
  // The same from memory, which must live as long as this; `name` stands for the path in messages.
  ZipReader(std::span<const std::byte> contents, std::string name);

  const std::string& name() const { return name_; }

  // The directory, in the archive's order. FormatError if it is damaged.
  std::vector<ZipEntry> entries() const;

  // A whole entry, its checksum compared. FormatError for one that is neither stored nor deflated,
  // is damaged or has another size than stated, and, before anything is unpacked, for more than
  // `max_size` bytes.
  std::vector<std::byte> read(const ZipEntry& entry, std::uint64_t max_size) const;

  // The same piece by piece, for entries larger than memory.
  void read_pieces(const ZipEntry& entry,
                   const std::function<void(std::span<const std::byte>)>& take) const;

  // Bytes from `offset` on of an entry that is stored, without those before; no checksum.
  void read_at(const ZipEntry& entry, std::uint64_t offset, std::span<std::byte> to) const;

 private:
  [[noreturn]] void fail(const ZipEntry& entry, const std::string& what) const;
  internal::ZipEntryHandle open_entry(const ZipEntry& entry) const;

  std::string name_;
  mutable std::mutex mutex_;  // libzip's handle is for one thread at a time
  internal::ZipHandle archive_;
};

// Writes an archive atomically (see io/file.h). Entries are stored, not compressed, and dated
// 1980-01-01, in the order they were added: the same entries give the same bytes.
class ZipWriter {
 public:
  // IoError if the file cannot be made.
  explicit ZipWriter(const std::filesystem::path& path);
  ~ZipWriter();  // without commit() there is no file
  ZipWriter(const ZipWriter&) = delete;
  ZipWriter& operator=(const ZipWriter&) = delete;

  // `contents` is called by commit(), for one entry after the other, so that one at a time is in
  // memory; what it throws comes out of commit(). ConfigError for a name that a zip cannot hold or
  // that was added before.
  void add(const std::string& name, std::function<std::vector<std::byte>()> contents);
  // These parts, one after the other; they must live until commit().
  void add(const std::string& name, std::vector<std::span<const std::byte>> parts);

  // Writes it all. IoError if it cannot be written.
  void commit();

 private:
  struct Entry;
  struct Callbacks;

  void add_entry(const std::string& name, std::unique_ptr<Entry> entry);

  std::filesystem::path path_;
  AtomicFile file_;
  std::exception_ptr failure_;  // C code lies between the throw and the catch
  std::vector<std::unique_ptr<Entry>> entries_;
  internal::ZipHandle archive_;
};

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_ZIP_H_
