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

bool is_npy(const fs::path& path) { return path.extension() == ".npy" && !fs::is_directory(path); }

std::unique_ptr<Dataset> open_npy(const fs::path& path, const DatasetOptions& options) {
  require_train_split(options.split, path.string());
  const auto file = std::make_shared<const io::RandomAccessFile>(path);
  std::string beginning(std::min<uint64_t>(file->size(), io::kMaxNpyHeader), '\0');
  file->read_at(0, std::as_writable_bytes(std::span(beginning)));
  const io::NpyHeader header = io::decode_npy_header(beginning, file->size(), path.string());
  const std::vector<int64_t>& shape = header.shape;
  if (header.dtype != io::DType::u8 || shape.size() != 4 || (shape[3] != 1 && shape[3] != 3) ||
      header.fortran_order) {
    throw FormatError("npy", path.string() + ": expected u8 [N, H, W, 1 or 3] in C order, " +
                                 "received " + std::string(io::name_of(header.dtype)) + " " +
                                 io::to_string(shape) +
                                 (header.fortran_order ? " in Fortran order" : ""));
  }
  DatasetInfo info{.name = path.stem().string(),
                   .format = "npy",
                   .channels = shape[3],
                   .height = shape[1],
                   .width = shape[2]};
  const fs::path labels_path = path.parent_path() / (path.stem().string() + ".labels.npy");
  std::vector<int32_t> labels;
  if (fs::exists(labels_path)) {
    labels = labels_of_array(io::read_npy(labels_path), shape[0], 0, labels_path.string());
    info.num_classes = num_classes_of(labels);
  }
  RawImages images{.count = shape[0], .offset = header.size};
  images.read_at = [file](uint64_t offset, std::span<std::byte> to) { file->read_at(offset, to); };
  return std::make_unique<RawDataset>(std::move(info), std::vector{std::move(images)},
                                      PixelOrder::interleaved, std::move(labels), options);
}

}  // namespace halfstep::data
