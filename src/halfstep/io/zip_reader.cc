// The reading part of zip.h.
#include <sys/stat.h>
#include <zip.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/io/quote.h"
#include "halfstep/io/random_access.h"
#include "halfstep/io/zip.h"
#include "halfstep/io/zip_error.h"

namespace halfstep::io {

namespace {

[[noreturn]] void fail_open(std::string_view name, const std::string& reason) {
  throw FormatError(name, "zip: expected a zip file, received \"" + reason +
                              "\"; the file is cut short or of another format");
}

bool is_link(zip_t* archive, zip_uint64_t index) {
  zip_uint8_t system = 0;
  zip_uint32_t attributes = 0;  // those of Unix are in the upper half
  return zip_file_get_external_attributes(archive, index, 0, &system, &attributes) == 0 &&
         system == ZIP_OPSYS_UNIX && S_ISLNK(attributes >> 16);
}

}  // namespace

// zip_discard also drops unsaved changes.
void internal::DiscardZip::operator()(zip* archive) const { zip_discard(archive); }

void internal::CloseZipEntry::operator()(zip_file* entry) const { zip_fclose(entry); }

ZipReader::ZipReader(const std::filesystem::path& path) : name_(path.string()) {
  // Opening it first reports missing and unreadable files, and pipes, as for all other formats.
  if (RandomAccessFile(path).size() < 2) fail_open(name_, "an empty file");
  int code = 0;
  archive_.reset(zip_open(path.c_str(), ZIP_RDONLY, &code));
  if (!archive_) fail_open(name_, ZipError(code).text());
}

ZipReader::ZipReader(std::span<const std::byte> contents, std::string name)
    : name_(std::move(name)) {
  if (contents.empty()) fail_open(name_, "an empty file");
  ZipError error;
  zip_source_t* source = zip_source_buffer_create(contents.data(), contents.size(), 0, error.get());
  if (source == nullptr) fail_open(name_, error.text());
  archive_.reset(zip_open_from_source(source, ZIP_RDONLY, error.get()));
  if (!archive_) {
    zip_source_free(source);
    fail_open(name_, error.text());
  }
}

void ZipReader::fail(const ZipEntry& entry, const std::string& what) const {
  throw FormatError(name_ + " entry " + quote(entry.name), what);
}

std::vector<ZipEntry> ZipReader::entries() const {
  const std::lock_guard lock(mutex_);
  std::vector<ZipEntry> result;
  const zip_int64_t count = zip_get_num_entries(archive_.get(), 0);
  result.reserve(static_cast<std::size_t>(count));
  for (zip_int64_t i = 0; i < count; ++i) {
    const auto index = static_cast<zip_uint64_t>(i);
    constexpr zip_uint64_t kNeeded =
        ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_CRC;
    zip_stat_t entry;
    if (zip_stat_index(archive_.get(), index, 0, &entry) != 0 ||
        (entry.valid & kNeeded) != kNeeded) {
      throw FormatError(name_, "zip: expected a readable directory, received a damaged one");
    }
    result.push_back({entry.name, index, entry.size, entry.comp_method == ZIP_CM_STORE, entry.crc,
                      is_link(archive_.get(), index)});
  }
  return result;
}

internal::ZipEntryHandle ZipReader::open_entry(const ZipEntry& entry) const {
  zip_stat_t stat;
  constexpr zip_uint64_t kNeeded = ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
  if (zip_stat_index(archive_.get(), entry.index, 0, &stat) != 0 ||
      (stat.valid & kNeeded) != kNeeded || stat.encryption_method != ZIP_EM_NONE ||
      (stat.comp_method != ZIP_CM_STORE && stat.comp_method != ZIP_CM_DEFLATE)) {
    fail(entry, "zip: expected a stored or deflated entry, received another method");
  }
  internal::ZipEntryHandle file(zip_fopen_index(archive_.get(), entry.index, 0));
  if (!file) {
    fail(entry, std::string("zip: expected a readable entry, received \"") +
                    zip_strerror(archive_.get()) + "\"");
  }
  return file;
}

std::vector<std::byte> ZipReader::read(const ZipEntry& entry, std::uint64_t max_size) const {
  if (entry.size > max_size) {
    fail(entry, "zip: expected at most " + std::to_string(max_size) + " bytes, received " +
                    std::to_string(entry.size));
  }
  constexpr std::size_t kStep = std::size_t{1} << 24;
  std::vector<std::byte> bytes;
  read_pieces(entry, [&](std::span<const std::byte> piece) {
    if (bytes.size() + piece.size() > bytes.capacity()) {
      bytes.reserve(std::min<std::size_t>(entry.size, bytes.size() * 2 + kStep));
    }
    bytes.insert(bytes.end(), piece.begin(), piece.end());
  });
  return bytes;
}

void ZipReader::read_pieces(const ZipEntry& entry,
                            const std::function<void(std::span<const std::byte>)>& consume) const {
  const std::lock_guard lock(mutex_);
  const internal::ZipEntryHandle file = open_entry(entry);
  // One byte more than claimed, so that the end is reached and libzip verifies the checksum.
  constexpr std::uint64_t kPiece = std::uint64_t{1} << 18;
  std::vector<std::byte> piece(std::min(entry.size, kPiece) + 1);
  std::uint64_t filled = 0;
  while (const zip_int64_t got = zip_fread(file.get(), piece.data(), piece.size())) {
    if (got < 0 || static_cast<std::uint64_t>(got) > entry.size - filled) {
      fail(entry,
           std::string("zip: expected valid data, received \"") +
               (got < 0 ? zip_file_strerror(file.get()) : "more bytes than the directory claims") +
               "\"; the file is damaged");
    }
    filled += static_cast<std::uint64_t>(got);
    consume(std::span(piece).first(static_cast<std::size_t>(got)));
  }
  if (filled != entry.size) {
    fail(entry, "zip: expected " + std::to_string(entry.size) + " bytes, received " +
                    std::to_string(filled));
  }
}

void ZipReader::read_at(const ZipEntry& entry, std::uint64_t offset,
                        std::span<std::byte> to) const {
  const std::lock_guard lock(mutex_);
  const internal::ZipEntryHandle file = open_entry(entry);
  if (!entry.stored || offset > INT64_MAX ||
      zip_fseek(file.get(), static_cast<zip_int64_t>(offset), SEEK_SET) != 0) {
    fail(entry, "zip: expected a stored entry of more than " + std::to_string(offset) +
                    " bytes, received one that ends before");
  }
  while (!to.empty()) {
    const zip_int64_t got = zip_fread(file.get(), to.data(), to.size());
    if (got <= 0) {
      fail(entry, "zip: expected " + std::to_string(to.size()) +
                      " more bytes, received none; the file is cut short");
    }
    to = to.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace halfstep::io
