// The writing part of zip.h. libzip pulls the contents of the entries from one callback and pushes
// the archive to another.
#include <zip.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/io/quote.h"
#include "halfstep/io/zip.h"
#include "halfstep/io/zip_error.h"

namespace halfstep::io {

// The contents of an entry. They are produced when libzip first asks for their size, which is just
// before it reads them, and freed afterwards. libzip later asks for the size again, so it is kept.
struct ZipWriter::Entry {
  std::exception_ptr* failure = nullptr;
  std::function<std::vector<std::byte>()> make;
  bool made = false;
  std::uint64_t size = 0;
  std::vector<std::byte> bytes;
  std::vector<std::span<const std::byte>> parts;
  std::size_t part = 0, offset = 0;  // position of the next byte

  void prepare() {
    if (made) return;
    made = true;
    if (make) {
      bytes = make();
      parts = {bytes};
    }
    for (const auto& bytes_of_part : parts) size += bytes_of_part.size();
  }

  void rewind() { part = offset = 0; }

  void drop() {
    parts.clear();
    bytes = std::vector<std::byte>();  // frees the memory, unlike clear()
    rewind();
  }

  std::size_t read(std::span<std::byte> to) {
    std::size_t filled = 0;
    while (filled < to.size() && part < parts.size()) {
      const auto from = parts[part].subspan(offset);
      const std::size_t count = std::min(from.size(), to.size() - filled);
      std::copy_n(from.begin(), count, to.begin() + static_cast<std::ptrdiff_t>(filled));
      filled += count;
      offset += count;
      if (offset == parts[part].size()) {
        ++part;
        offset = 0;
      }
    }
    return filled;
  }
};

// The callbacks for libzip. Exceptions must not propagate through C code, so the first one is kept
// for commit().
struct ZipWriter::Callbacks {
  static zip_int64_t error_codes(void* data, int code) {
    const int codes[2] = {code, 0};
    std::memcpy(data, codes, sizeof(codes));
    return sizeof(codes);
  }

  static zip_int64_t read_entry(void* state, void* data, zip_uint64_t length,
                                zip_source_cmd_t command) {
    Entry& entry = *static_cast<Entry*>(state);
    try {
      switch (command) {
        case ZIP_SOURCE_SUPPORTS:
          return zip_source_make_command_bitmap(ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE,
                                                ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE,
                                                -1);
        case ZIP_SOURCE_STAT: {
          entry.prepare();
          auto* stat = static_cast<zip_stat_t*>(data);
          zip_stat_init(stat);
          stat->size = entry.size;
          stat->valid |= ZIP_STAT_SIZE;
          return sizeof(zip_stat_t);
        }
        case ZIP_SOURCE_OPEN:
          entry.rewind();
          return 0;
        case ZIP_SOURCE_READ:
          return static_cast<zip_int64_t>(entry.read({static_cast<std::byte*>(data), length}));
        case ZIP_SOURCE_CLOSE:
          entry.drop();
          return 0;
        case ZIP_SOURCE_FREE:
          return 0;
        case ZIP_SOURCE_ERROR:
          return error_codes(data, ZIP_ER_READ);
        default:
          return -1;
      }
    } catch (...) {
      if (!*entry.failure) *entry.failure = std::current_exception();
      return -1;
    }
  }

  static zip_int64_t seek(AtomicFile& file, const void* data, zip_uint64_t length) {
    ZipError error;
    const zip_int64_t offset = zip_source_seek_compute_offset(
        file.tell(), file.size(), const_cast<void*>(data), length, error.get());
    if (offset < 0) return -1;
    file.seek(static_cast<std::uint64_t>(offset));
    return 0;
  }

  static zip_int64_t write_archive(void* state, void* data, zip_uint64_t length,
                                   zip_source_cmd_t command) {
    ZipWriter& writer = *static_cast<ZipWriter*>(state);
    try {
      switch (command) {
        case ZIP_SOURCE_SUPPORTS:
          // libzip requires support for reading, although it never reads a new archive.
          return ZIP_SOURCE_SUPPORTS_WRITABLE &
                 ~ZIP_SOURCE_MAKE_COMMAND_BITMASK(ZIP_SOURCE_BEGIN_WRITE_CLONING);
        case ZIP_SOURCE_STAT:
          zip_stat_init(static_cast<zip_stat_t*>(data));
          return sizeof(zip_stat_t);
        case ZIP_SOURCE_OPEN:
        case ZIP_SOURCE_CLOSE:
        case ZIP_SOURCE_BEGIN_WRITE:
        case ZIP_SOURCE_COMMIT_WRITE:
        case ZIP_SOURCE_ROLLBACK_WRITE:
        case ZIP_SOURCE_FREE:
          return 0;
        case ZIP_SOURCE_TELL_WRITE:
          return static_cast<zip_int64_t>(writer.file_.tell());
        case ZIP_SOURCE_SEEK_WRITE:
          return seek(writer.file_, data, length);
        case ZIP_SOURCE_WRITE:
          writer.file_.write({static_cast<const std::byte*>(data), length});
          return static_cast<zip_int64_t>(length);
        case ZIP_SOURCE_ERROR:
          return error_codes(data, ZIP_ER_WRITE);
        default:
          return -1;
      }
    } catch (...) {
      if (!writer.failure_) writer.failure_ = std::current_exception();
      return -1;
    }
  }
};

ZipWriter::ZipWriter(const std::filesystem::path& path) : path_(path), file_(path) {
  ZipError error;
  zip_source_t* source = zip_source_function_create(Callbacks::write_archive, this, error.get());
  if (source != nullptr) {
    archive_.reset(zip_open_from_source(source, ZIP_CREATE | ZIP_TRUNCATE, error.get()));
  }
  if (!archive_) {
    if (source != nullptr) zip_source_free(source);
    throw IoError("write_zip",
                  path.string() + ": expected to begin a zip, received \"" + error.text() + "\"");
  }
}

ZipWriter::~ZipWriter() = default;

void ZipWriter::add(const std::string& name, std::function<std::vector<std::byte>()> contents) {
  auto entry = std::make_unique<Entry>();
  entry->make = std::move(contents);
  add_entry(name, std::move(entry));
}

void ZipWriter::add(const std::string& name, std::vector<std::span<const std::byte>> parts) {
  auto entry = std::make_unique<Entry>();
  entry->parts = std::move(parts);
  add_entry(name, std::move(entry));
}

void ZipWriter::add_entry(const std::string& name, std::unique_ptr<Entry> entry) {
  entry->failure = &failure_;
  zip_source_t* source = zip_source_function(archive_.get(), Callbacks::read_entry, entry.get());
  const zip_int64_t index =
      source == nullptr ? -1 : zip_file_add(archive_.get(), name.c_str(), source, ZIP_FL_ENC_UTF_8);
  if (index < 0) {
    if (source != nullptr) zip_source_free(source);
    throw ConfigError("write_zip", "entry " + quote(name) + ": expected a valid entry name, " +
                                       "received \"" + zip_strerror(archive_.get()) + "\"");
  }
  entries_.push_back(std::move(entry));
  constexpr zip_uint16_t kFirstDay = 1 << 5 | 1;  // 1 January 1980
  const auto number = static_cast<zip_uint64_t>(index);
  if (zip_set_file_compression(archive_.get(), number, ZIP_CM_STORE, 0) != 0 ||
      zip_file_set_dostime(archive_.get(), number, 0, kFirstDay, 0) != 0) {
    throw IoError("write_zip", zip_strerror(archive_.get()));
  }
}

void ZipWriter::commit() {
  if (zip_close(archive_.get()) != 0) {
    if (failure_) std::rethrow_exception(failure_);
    throw IoError("write_zip", path_.string() + ": expected to write a zip, received \"" +
                                   zip_strerror(archive_.get()) + "\"");
  }
  (void)archive_.release();
  file_.commit();
}

}  // namespace halfstep::io
