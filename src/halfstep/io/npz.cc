// The .npz half of npy.h: a zip, through libzip.
#include <zip.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <memory>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/io/file.h"
#include "halfstep/io/npy.h"
#include "halfstep/io/quote.h"

namespace halfstep::io {

namespace {

constexpr std::string_view kSuffix = ".npy";

// Unsaved changes are thrown away with the handle; writing closes it by hand.
struct Discard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
using Archive = std::unique_ptr<zip_t, Discard>;

struct CloseEntry {
  void operator()(zip_file_t* entry) const { zip_fclose(entry); }
};

// A libzip error as text, for errors that belong to no archive.
class ZipError {
 public:
  ZipError() { zip_error_init(&error_); }
  explicit ZipError(int code) { zip_error_init_with_code(&error_, code); }
  ~ZipError() { zip_error_fini(&error_); }
  ZipError(const ZipError&) = delete;
  ZipError& operator=(const ZipError&) = delete;

  zip_error_t* get() { return &error_; }
  std::string text() { return zip_error_strerror(&error_); }

 private:
  zip_error_t error_;
};

std::vector<std::byte> read_entry(zip_t* archive, const zip_stat_t& entry, std::string_view name) {
  const std::string where = std::string(name) + " entry " + quote(entry.name);
  constexpr zip_uint64_t kNeeded =
      ZIP_STAT_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
  if ((entry.valid & kNeeded) != kNeeded || entry.encryption_method != ZIP_EM_NONE ||
      (entry.comp_method != ZIP_CM_STORE && entry.comp_method != ZIP_CM_DEFLATE)) {
    throw FormatError(where, "zip: expected a stored or deflated entry, received another method");
  }
  const std::unique_ptr<zip_file_t, CloseEntry> file(zip_fopen_index(archive, entry.index, 0));
  if (!file) {
    throw FormatError(where, std::string("zip: expected a readable entry, received \"") +
                                 zip_strerror(archive) + "\"");
  }
  // The stated size is believed only as far as data come.
  constexpr std::size_t kPiece = std::size_t{1} << 24;
  std::vector<std::byte> bytes;
  std::size_t filled = 0;
  for (;;) {
    if (filled == bytes.size()) {
      // One byte more than stated, so that the end is reached and the checksum compared.
      bytes.resize(std::min<std::size_t>(entry.size + 1, filled * 2 + kPiece));
    }
    const zip_int64_t got = zip_fread(file.get(), bytes.data() + filled, bytes.size() - filled);
    if (got == 0) break;
    filled += got > 0 ? static_cast<std::size_t>(got) : 0;
    if (got < 0 || filled > entry.size) {
      throw FormatError(where, std::string("zip: expected sound data, received \"") +
                                   (got < 0 ? zip_file_strerror(file.get()) : "more than stated") +
                                   "\"; the file is damaged");
    }
  }
  if (filled != entry.size) {
    throw FormatError(where, "zip: expected " + std::to_string(entry.size) + " bytes, received " +
                                 std::to_string(filled));
  }
  bytes.resize(filled);
  return bytes;
}

// The entries that are arrays; all sizes are known to be acceptable before one is unpacked.
std::vector<zip_stat_t> array_entries(zip_t* archive, std::string_view name) {
  std::vector<zip_stat_t> result;
  zip_uint64_t total = 0;
  const zip_int64_t entries = zip_get_num_entries(archive, 0);
  for (zip_int64_t i = 0; i < entries; ++i) {
    zip_stat_t entry;
    if (zip_stat_index(archive, static_cast<zip_uint64_t>(i), 0, &entry) != 0 ||
        (entry.valid & ZIP_STAT_NAME) == 0 || (entry.valid & ZIP_STAT_SIZE) == 0) {
      throw FormatError(name, "zip: expected a readable directory, received a damaged one");
    }
    if (!std::string_view(entry.name).ends_with(kSuffix)) continue;
    if (entry.size > kMaxNpzBytes - total) {
      throw FormatError(name, "npz: expected at most " + std::to_string(kMaxNpzBytes) +
                                  " bytes unpacked, received more");
    }
    total += entry.size;
    result.push_back(entry);
  }
  if (result.empty()) {
    throw FormatError(name, "npz: expected arrays (*.npy), received a zip of " +
                                std::to_string(entries) + " other files");
  }
  return result;
}

std::map<std::string, Array> read_archive(zip_t* archive, std::string_view name) {
  std::map<std::string, Array> result;
  for (const zip_stat_t& entry : array_entries(archive, name)) {
    const std::string_view entry_name = entry.name;
    std::string key(entry_name.substr(0, entry_name.size() - kSuffix.size()));
    Array array = decode_npy(read_entry(archive, entry, name),
                             std::string(name) + " entry " + quote(entry_name));
    if (!result.emplace(std::move(key), std::move(array)).second) {
      throw FormatError(name,
                        "npz: expected each name once, received " + quote(entry_name) + " twice");
    }
  }
  return result;
}

[[noreturn]] void fail_open(std::string_view name, const std::string& reason) {
  throw FormatError(name, "npz: expected a zip file, received \"" + reason +
                              "\"; the file is cut short or of another format");
}

// libzip writes an archive through this callback, so that it lands in an AtomicFile.
struct Sink {
  AtomicFile& file;
  std::exception_ptr failure;  // C code lies between the throw and the catch
};

zip_int64_t seek_sink(AtomicFile& file, const void* data, zip_uint64_t length) {
  ZipError error;
  const zip_int64_t offset = zip_source_seek_compute_offset(
      file.tell(), file.size(), const_cast<void*>(data), length, error.get());
  if (offset < 0) return -1;
  file.seek(static_cast<std::uint64_t>(offset));
  return 0;
}

zip_int64_t write_to_sink(void* state, void* data, zip_uint64_t length, zip_source_cmd_t command) {
  Sink& sink = *static_cast<Sink*>(state);
  try {
    switch (command) {
      case ZIP_SOURCE_SUPPORTS:
        // Reading is claimed because libzip opens every archive for it; a new one is never read.
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
        return static_cast<zip_int64_t>(sink.file.tell());
      case ZIP_SOURCE_SEEK_WRITE:
        return seek_sink(sink.file, data, length);
      case ZIP_SOURCE_WRITE:
        sink.file.write({static_cast<const std::byte*>(data), length});
        return static_cast<zip_int64_t>(length);
      case ZIP_SOURCE_ERROR: {
        const int codes[2] = {ZIP_ER_WRITE, 0};
        std::copy_n(codes, 2, static_cast<int*>(data));
        return sizeof(codes);
      }
      default:
        return -1;
    }
  } catch (...) {
    if (!sink.failure) sink.failure = std::current_exception();
    return -1;
  }
}

void add_entry(zip_t* archive, const std::string& name, const std::string& header,
               const ArrayView& array) {
  zip_buffer_fragment_t parts[2] = {
      {reinterpret_cast<zip_uint8_t*>(const_cast<char*>(header.data())), header.size()},
      {reinterpret_cast<zip_uint8_t*>(const_cast<std::byte*>(array.bytes.data())),
       array.bytes.size()}};
  zip_source_t* source = zip_source_buffer_fragment(archive, parts, 2, 0);
  const std::string file_name = name + std::string(kSuffix);
  const zip_int64_t index =
      source == nullptr ? -1 : zip_file_add(archive, file_name.c_str(), source, ZIP_FL_ENC_UTF_8);
  if (index < 0) {
    if (source != nullptr) zip_source_free(source);
    throw ConfigError("write_npz", "array " + quote(name) + ": expected a name a zip can hold, " +
                                       "received \"" + zip_strerror(archive) + "\"");
  }
  constexpr zip_uint16_t kFirstDay = 1 << 5 | 1;  // 1 January 1980
  const auto entry = static_cast<zip_uint64_t>(index);
  if (zip_set_file_compression(archive, entry, ZIP_CM_STORE, 0) != 0 ||
      zip_file_set_dostime(archive, entry, 0, kFirstDay, 0) != 0) {
    throw IoError("write_npz", zip_strerror(archive));
  }
}

}  // namespace

std::map<std::string, Array> read_npz(const std::filesystem::path& path) {
  // What is missing or unreadable is said as for every other file.
  if (read_bytes(path, 2).size() < 2) fail_open(path.string(), "an empty file");
  int code = 0;
  const Archive archive(zip_open(path.c_str(), ZIP_RDONLY, &code));
  if (!archive) fail_open(path.string(), ZipError(code).text());
  return read_archive(archive.get(), path.string());
}

std::map<std::string, Array> decode_npz(std::span<const std::byte> contents,
                                        std::string_view name) {
  ZipError error;
  zip_source_t* source = zip_source_buffer_create(contents.data(), contents.size(), 0, error.get());
  if (source == nullptr) fail_open(name, error.text());
  const Archive archive(zip_open_from_source(source, ZIP_RDONLY, error.get()));
  if (!archive) {
    zip_source_free(source);
    fail_open(name, error.text());
  }
  return read_archive(archive.get(), name);
}

void write_npz(const std::filesystem::path& path, const std::map<std::string, ArrayView>& arrays) {
  if (arrays.empty()) {
    throw ConfigError("write_npz", path.string() + ": expected at least one array, received none");
  }
  std::map<std::string, std::string> headers;  // libzip reads them when it closes
  for (const auto& [name, array] : arrays) headers[name] = npy_header(array);

  AtomicFile file(path);
  Sink sink{file, nullptr};
  ZipError error;
  zip_source_t* source = zip_source_function_create(write_to_sink, &sink, error.get());
  Archive archive(source == nullptr
                      ? nullptr
                      : zip_open_from_source(source, ZIP_CREATE | ZIP_TRUNCATE, error.get()));
  if (!archive) {
    if (source != nullptr) zip_source_free(source);
    throw IoError("write_npz",
                  path.string() + ": expected to begin a zip, received \"" + error.text() + "\"");
  }
  for (const auto& [name, array] : arrays) add_entry(archive.get(), name, headers[name], array);
  if (zip_close(archive.get()) != 0) {
    if (sink.failure) std::rethrow_exception(sink.failure);
    throw IoError("write_npz", path.string() + ": expected to write a zip, received \"" +
                                   zip_strerror(archive.get()) + "\"");
  }
  (void)archive.release();
  file.commit();
}

}  // namespace halfstep::io
