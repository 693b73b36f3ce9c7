// The .npz part of npy.h.
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/io/npy.h"
#include "halfstep/io/quote.h"
#include "halfstep/io/zip.h"

namespace halfstep::io {

namespace {

constexpr std::string_view kSuffix = ".npy";

// Returns the entries that are arrays, after checking their total size before anything is unpacked.
std::vector<ZipEntry> array_entries(const ZipReader& archive) {
  std::vector<ZipEntry> entries = archive.entries();
  const std::size_t all = entries.size();
  std::erase_if(entries, [](const ZipEntry& entry) { return !entry.name.ends_with(kSuffix); });
  std::uint64_t total = 0;
  for (const ZipEntry& entry : entries) {
    if (entry.size > kMaxNpzBytes - total) {
      throw FormatError(archive.name(), "npz: expected at most " + std::to_string(kMaxNpzBytes) +
                                            " bytes unpacked, received more");
    }
    total += entry.size;
  }
  if (entries.empty()) {
    throw FormatError(archive.name(), "npz: expected arrays (*.npy), received a zip of " +
                                          std::to_string(all) + " other files");
  }
  return entries;
}

std::map<std::string, Array> read_arrays(const ZipReader& archive) {
  std::map<std::string, Array> result;
  for (const ZipEntry& entry : array_entries(archive)) {
    Array array = decode_npy(archive.read(entry, kMaxNpzBytes),
                             archive.name() + " entry " + quote(entry.name));
    std::string key = entry.name.substr(0, entry.name.size() - kSuffix.size());
    if (!result.emplace(std::move(key), std::move(array)).second) {
      throw FormatError(archive.name(),
                        "npz: expected each name once, received " + quote(entry.name) + " twice");
    }
  }
  return result;
}

}  // namespace

std::map<std::string, Array> read_npz(const std::filesystem::path& path) {
  return read_arrays(ZipReader(path));
}

std::map<std::string, Array> decode_npz(std::span<const std::byte> contents,
                                        std::string_view name) {
  return read_arrays(ZipReader(contents, std::string(name)));
}

void write_npz(const std::filesystem::path& path, const std::map<std::string, ArrayView>& arrays) {
  if (arrays.empty()) {
    throw ConfigError("write_npz", path.string() + ": expected at least one array, received none");
  }
  std::map<std::string, std::string> headers;  // used until the zip is committed
  for (const auto& [name, array] : arrays) headers[name] = npy_header(array);
  ZipWriter zip(path);
  for (const auto& [name, array] : arrays) {
    zip.add(name + std::string(kSuffix), {std::as_bytes(std::span(headers[name])), array.bytes});
  }
  zip.commit();
}

}  // namespace halfstep::io
