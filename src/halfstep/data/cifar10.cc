#include "halfstep/data/cifar10.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/data/gzip.h"
#include "halfstep/data/raw_dataset.h"
#include "halfstep/data/tar.h"
#include "halfstep/io/file.h"

namespace halfstep::data {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kChannels = 3, kSide = 32;
constexpr size_t kRecord = 1 + kChannels * kSide * kSide;
constexpr const char* kFolder = "cifar-10-batches-bin";
constexpr const char* kArchive = "cifar-10-binary.tar.gz";
constexpr uint64_t kMaxArchive = uint64_t{1} << 29;  // bytes unpacked; CIFAR-10 has 184 MB

std::vector<std::string> names_of(DatasetOptions::Split split) {
  if (split == DatasetOptions::Split::test) return {"test_batch.bin"};
  return {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
          "data_batch_5.bin"};
}

bool has_batches(const fs::path& folder) {
  return fs::exists(folder / "data_batch_1.bin") || fs::exists(folder / "test_batch.bin");
}

// Returns the folder with the .bin files, or the archive.
fs::path find_source(const fs::path& path) {
  if (!fs::is_directory(path) || has_batches(path)) return path;
  return fs::is_directory(path / kFolder) ? path / kFolder : path / kArchive;
}

using Batches = std::map<std::string, std::string>;  // contents by file name

Batches read_folder(const fs::path& folder, const std::vector<std::string>& wanted) {
  Batches batches;
  for (const std::string& name : wanted) {
    if (fs::exists(folder / name)) batches[name] = io::read_file(folder / name);
  }
  return batches;
}

Batches read_archive(const fs::path& path, const std::vector<std::string>& wanted) {
  const std::string archive = read_maybe_gzip(path, kMaxArchive);
  Batches batches;
  for (const TarMember& member : read_tar(archive, path.string())) {
    const std::string name = fs::path(member.name).filename().string();
    if (std::ranges::find(wanted, name) != wanted.end()) batches[name] = member.contents;
  }
  return batches;
}

// Appends the records of a batch to `pixels` and `labels`.
void append_records(const std::string& batch, const std::string& name, std::vector<uint8_t>& pixels,
                    std::vector<int32_t>& labels) {
  if (batch.empty() || batch.size() % kRecord != 0) {
    throw FormatError("cifar10", name + ": expected records of " + std::to_string(kRecord) +
                                     " bytes, received " + std::to_string(batch.size()) +
                                     " bytes; download the file again");
  }
  for (auto record = batch.begin(); record != batch.end(); record += kRecord) {
    labels.push_back(static_cast<unsigned char>(*record));
    pixels.insert(pixels.end(), record + 1, record + kRecord);
  }
}

}  // namespace

bool is_cifar10(const fs::path& path) {
  if (fs::is_directory(path)) {
    return has_batches(path) || fs::is_directory(path / kFolder) || fs::exists(path / kArchive);
  }
  const std::string name = path.filename().string();
  return name.ends_with(".tar.gz") || name.ends_with(".tgz") || name.ends_with(".tar");
}

std::unique_ptr<Dataset> open_cifar10(const fs::path& path, const DatasetOptions& options) {
  const fs::path source = find_source(path);
  const std::vector<std::string> wanted = names_of(options.split);
  const Batches batches =
      fs::is_directory(source) ? read_folder(source, wanted) : read_archive(source, wanted);
  if (batches.empty()) {
    throw ConfigError(
        "cifar10",
        source.string() + ": expected " + wanted.front() + (wanted.size() > 1 ? " and so on" : "") +
            " of CIFAR-10's binary version, received none of them; the Python version is not "
            "supported, download " +
            kArchive);
  }

  DatasetInfo info{.name = "cifar10",
                   .format = "cifar10",
                   .channels = kChannels,
                   .height = kSide,
                   .width = kSide,
                   .num_classes = 10,
                   .class_names = {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog",
                                   "horse", "ship", "truck"}};
  std::vector<uint8_t> pixels;
  std::vector<int32_t> labels;
  for (const std::string& name : wanted) {
    const auto batch = batches.find(name);
    const std::string where = (source / name).string();
    if (batch == batches.end()) {
      throw FormatError("cifar10",
                        where +
                            ": expected this file next to the other batches, received none; "
                            "download the data set again");
    }
    append_records(batch->second, where, pixels, labels);
  }
  RawPart part{.count = static_cast<int64_t>(labels.size()),
               .read_at = in_memory(std::move(pixels))};
  return std::make_unique<RawDataset>(std::move(info), std::vector{std::move(part)},
                                      PixelOrder::planes, std::move(labels), options);
}

}  // namespace halfstep::data
