#include "halfstep/data/npy_dataset.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/data/labels.h"
#include "halfstep/data/raw_dataset.h"
#include "halfstep/io/npy.h"
#include "halfstep/io/random_access.h"

namespace halfstep::data {

namespace fs = std::filesystem;

namespace {

DatasetInfo info_of(const io::NpyHeader& header, const fs::path& path) {
  const std::vector<int64_t>& shape = header.shape;
  DatasetInfo info{.name = path.stem().string()};
  const bool images =
      header.dtype == io::DType::u8 && shape.size() == 4 && (shape[3] == 1 || shape[3] == 3);
  const bool numbers = header.dtype == io::DType::f32 && shape.size() >= 2;
  if (header.fortran_order || (!images && !numbers)) {
    throw FormatError("npy", path.string() + ": expected u8 [N, H, W, 1 or 3] or f32 [N, C, ...] " +
                                 "in C order, received " + std::string(io::name_of(header.dtype)) +
                                 " " + io::to_string(shape) +
                                 (header.fortran_order ? " in Fortran order" : ""));
  }
  if (numbers) {
    info.format = "npy-float32";
    info.float32_shape.assign(shape.begin() + 1, shape.end());
  } else {
    info.format = "npy";
    info.channels = shape[3];
    info.height = shape[1];
    info.width = shape[2];
  }
  return info;
}

}  // namespace

bool is_npy(const fs::path& path) { return path.extension() == ".npy" && !fs::is_directory(path); }

std::unique_ptr<Dataset> open_npy(const fs::path& path, const DatasetOptions& options) {
  require_train_split(options.split, path.string());
  const auto file = std::make_shared<const io::RandomAccessFile>(path);
  std::string beginning(std::min<uint64_t>(file->size(), io::kMaxNpyHeader), '\0');
  file->read_at(0, std::as_writable_bytes(std::span(beginning)));
  const io::NpyHeader header = io::decode_npy_header(beginning, file->size(), path.string());
  DatasetInfo info = info_of(header, path);
  if (!info.holds_images() && options.image_size) {
    throw ConfigError("npy", path.string() +
                                 ": image_size: expected none for float32 data, received " +
                                 std::to_string(*options.image_size));
  }
  const fs::path labels_path = path.parent_path() / (path.stem().string() + ".labels.npy");
  std::vector<int32_t> labels;
  if (fs::exists(labels_path)) {
    labels = labels_of_array(io::read_npy(labels_path), header.shape[0], 0, labels_path.string());
    info.num_classes = num_classes_of(labels);
  }
  RawPart images{.count = header.shape[0], .offset = header.size};
  images.read_at = [file](uint64_t offset, std::span<std::byte> to) { file->read_at(offset, to); };
  const PixelOrder order = info.holds_images() ? PixelOrder::interleaved : PixelOrder::planes;
  return std::make_unique<RawDataset>(std::move(info), std::vector{std::move(images)}, order,
                                      std::move(labels), options);
}

}  // namespace halfstep::data
