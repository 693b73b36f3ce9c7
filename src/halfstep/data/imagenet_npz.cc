#include "halfstep/data/imagenet_npz.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/data/labels.h"
#include "halfstep/data/raw_dataset.h"
#include "halfstep/io/image.h"
#include "halfstep/io/npy.h"
#include "halfstep/io/random_access.h"
#include "halfstep/io/zip.h"

namespace halfstep::data {
namespace {

namespace fs = std::filesystem;

fs::path train_batch(const fs::path& folder, int number) {
  return folder / ("train_data_batch_" + std::to_string(number) + ".npz");
}

fs::path test_batch(const fs::path& folder) { return folder / "val_data.npz"; }

std::vector<fs::path> batches_of(const fs::path& folder, DatasetOptions::Split split) {
  std::vector<fs::path> batches;
  if (split == DatasetOptions::Split::test) {
    if (fs::exists(test_batch(folder))) batches.push_back(test_batch(folder));
  } else {
    for (int k = 1; fs::exists(train_batch(folder, k)); ++k) {
      batches.push_back(train_batch(folder, k));
    }
  }
  if (batches.empty()) {
    const bool test = split == DatasetOptions::Split::test;
    throw ConfigError("imagenet", folder.string() + ": expected " +
                                      (test ? test_batch("") : train_batch("", 1)).string() +
                                      " for the " + (test ? "test" : "training") +
                                      " split, received only other files");
  }
  return batches;
}

// Throws FormatError if a batch is missing: the batches after it would be ignored silently.
void require_no_gap(const fs::path& folder, size_t batches) {
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("train_data_batch_") || !name.ends_with(".npz")) continue;
    const int number = std::atoi(name.c_str() + std::string_view("train_data_batch_").size());
    if (number <= static_cast<int>(batches)) continue;
    throw FormatError("imagenet", train_batch(folder, static_cast<int>(batches) + 1).string() +
                                      ": expected this batch because " + name +
                                      " exists, received none; download it");
  }
}

class Batch {
 public:
  explicit Batch(const fs::path& path) : archive_(std::make_shared<const io::ZipReader>(path)) {
    for (const io::ZipEntry& entry : archive_->entries()) {
      if (entry.name == "data.npy") data_ = entry;
      if (entry.name == "labels.npy") labels_ = entry;
    }
    if (data_.size > io::kMaxNpzBytes) {
      throw FormatError("imagenet", path.string() + ": expected at most " +
                                        std::to_string(io::kMaxNpzBytes) +
                                        " bytes of images unpacked, received more");
    }
    if (data_.name.empty() || labels_.name.empty()) {
      throw FormatError("imagenet",
                        path.string() + ": expected arrays data and labels, received " + "others");
    }
  }

  // Returns the images. `side` is their side in pixels, or 0 for the first batch, which sets it.
  RawPart images(int64_t& side) const {
    RawPart images{.read_at = bytes_of_data()};
    std::string beginning(std::min<uint64_t>(data_.size, io::kMaxNpyHeader), '\0');
    images.read_at(0, std::as_writable_bytes(std::span(beginning)));
    const std::string where = archive_->name() + " data";
    const io::NpyHeader header = io::decode_npy_header(beginning, data_.size, where);
    const std::vector<int64_t>& shape = header.shape;
    const bool rows = header.dtype == io::DType::u8 && shape.size() == 2 && !header.fortran_order;
    const int64_t row = rows ? shape[1] : 0;
    if (side == 0) side = std::lround(std::sqrt(static_cast<double>(row) / 3.0));
    if (row < 1 || side > io::kMaxImageSide || row != 3 * side * side) {
      throw FormatError("imagenet",
                        where + ": expected u8 [N, 3 S S] in C order, S as in the first batch, " +
                            "received " + std::string(io::name_of(header.dtype)) + " " +
                            io::to_string(shape));
    }
    images.count = shape[0];
    images.offset = header.size;
    return images;
  }

  std::vector<int32_t> labels(int64_t size) const {
    constexpr uint64_t kMaxLabels = uint64_t{1} << 31;  // bytes; those of ImageNet have ten million
    const std::string where = archive_->name() + " labels";
    return labels_of_array(io::decode_npy(archive_->read(labels_, kMaxLabels), where), size, 1,
                           where);
  }

 private:
  ReadAt bytes_of_data() const {
    if (data_.stored) {
      return [archive = archive_, data = data_](uint64_t offset, std::span<std::byte> to) {
        archive->read_at(data, offset, to);
      };
    }
    const auto unpacked = std::make_shared<io::ScratchFile>(
        data_.size, "the unpacked images (TMPDIR names the folder)");
    archive_->read_pieces(data_,
                          [&](std::span<const std::byte> piece) { unpacked->append(piece); });
    return [unpacked](uint64_t offset, std::span<std::byte> to) { unpacked->read_at(offset, to); };
  }

  std::shared_ptr<const io::ZipReader> archive_;
  io::ZipEntry data_, labels_;
};

}  // namespace

bool is_imagenet_npz(const fs::path& path) {
  return fs::is_directory(path) &&
         (fs::exists(train_batch(path, 1)) || fs::exists(test_batch(path)));
}

std::unique_ptr<Dataset> open_imagenet_npz(const fs::path& path, const DatasetOptions& options) {
  const std::vector<fs::path> batches = batches_of(path, options.split);
  if (options.split == DatasetOptions::Split::train) require_no_gap(path, batches.size());
  std::vector<RawPart> parts;
  std::vector<int32_t> labels;
  int64_t side = 0;
  for (const fs::path& file : batches) {
    const Batch batch(file);
    parts.push_back(batch.images(side));
    const std::vector<int32_t> of_batch = batch.labels(parts.back().count);
    labels.insert(labels.end(), of_batch.begin(), of_batch.end());
  }
  DatasetInfo info{.name = fs::weakly_canonical(path).filename().string(),
                   .format = "imagenet-npz",
                   .channels = 3,
                   .height = side,
                   .width = side,
                   .num_classes = num_classes_of(labels)};
  return std::make_unique<RawDataset>(std::move(info), std::move(parts), PixelOrder::planes,
                                      std::move(labels), options);
}

}  // namespace halfstep::data
