#include "halfstep/data/idx.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/core/lower_case.h"
#include "halfstep/data/gzip.h"
#include "halfstep/data/labels.h"
#include "halfstep/data/raw_dataset.h"
#include "halfstep/io/file.h"

namespace halfstep::data {
namespace {

namespace fs = std::filesystem;

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

// Some copies are called "train-images.idx3-ubyte", with a dot instead of a dash.
bool is_images_file(const fs::path& path) {
  const std::string name = path.filename().string();
  return contains(name, "images-idx3-ubyte") || contains(name, "images.idx3-ubyte");
}

bool is_of_split(const fs::path& path, DatasetOptions::Split split) {
  const std::string name = path.filename().string();
  if (split == DatasetOptions::Split::train) return contains(name, "train");
  return contains(name, "t10k") || contains(name, "test");
}

std::vector<fs::path> images_files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file() && is_images_file(entry.path())) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

std::string names_of(const std::vector<fs::path>& files) {
  std::string names;
  for (const fs::path& file : files)
    names += (names.empty() ? "" : ", ") + file.filename().string();
  return names.empty() ? "none" : names;
}

fs::path images_file_of_split(const fs::path& path, DatasetOptions::Split split) {
  const bool wants_train = split == DatasetOptions::Split::train;
  if (!fs::is_directory(path)) {
    if (wants_train || !is_of_split(path, DatasetOptions::Split::train)) return path;
    throw ConfigError("idx", path.string() +
                                 ": expected the test split, received the training images; give "
                                 "the folder or the test images");
  }
  const std::vector<fs::path> all = images_files(path);
  std::vector<fs::path> files;
  std::ranges::copy_if(all, std::back_inserter(files),
                       [&](const fs::path& file) { return is_of_split(file, split); });
  // A file and its gzip are the same images.
  if (files.size() == 2 && files[1].string() == files[0].string() + ".gz") files.pop_back();
  if (files.size() == 1) return files.front();
  throw ConfigError("idx", path.string() + ": expected one images file of the " +
                               (wants_train ? "training" : "test") + " split, received " +
                               names_of(files.empty() ? all : files) +
                               (files.empty() ? "" : "; give the path of one of them"));
}

// Returns the labels file that belongs to an images file, or an empty path if there is none.
fs::path labels_file_of(const fs::path& images) {
  std::string name = images.filename().string();
  name.replace(name.rfind("images"), 6, "labels");
  name.replace(name.rfind("idx3"), 4, "idx1");
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  for (const std::string& candidate : {name, name + ".gz"}) {
    if (fs::exists(images.parent_path() / candidate)) return images.parent_path() / candidate;
  }
  return {};
}

// Returns the shape in the header that `contents` begin with.
std::vector<int64_t> parse_header(std::string_view contents, const std::string& name) {
  const auto fail = [&](const std::string& expected, const std::string& received) {
    throw FormatError("idx", name + ": expected " + expected + ", received " + received);
  };
  if (contents.size() < 4) fail("an IDX header", std::to_string(contents.size()) + " bytes");
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(contents[i]); };
  if (byte(0) != 0 || byte(1) != 0) fail("an IDX file (00 00 first)", "another format");
  if (byte(2) != 8) fail("elements of one byte (type 8)", "type " + std::to_string(byte(2)));
  const size_t dims = byte(3);
  if (dims == 0 || contents.size() < 4 + 4 * dims) fail("a complete header", "a truncated file");
  std::vector<int64_t> shape;
  for (size_t dim = 0; dim < dims; ++dim) {
    int64_t size = 0;
    for (size_t i = 0; i < 4; ++i) size = size << 8 | byte(4 + 4 * dim + i);
    shape.push_back(size);
  }
  return shape;
}

size_t header_size(const std::vector<int64_t>& shape) { return 4 + 4 * shape.size(); }

// Returns the number of elements, at most 2^62.
uint64_t count_of(const std::vector<int64_t>& shape) {
  constexpr uint64_t kMost = uint64_t{1} << 62;
  uint64_t count = 1;
  for (const int64_t size : shape) {
    if (size == 0) return 0;
    count =
        count > kMost / static_cast<uint64_t>(size) ? kMost : count * static_cast<uint64_t>(size);
  }
  return count;
}

// Unpacks no more than the header says: a small gzip file can unpack to any size.
std::string unpacked(const std::string& packed, const std::string& name) {
  constexpr size_t kLongestHeader = 4 + 4 * 255;
  const std::vector<int64_t> shape =
      parse_header(gunzip_beginning(packed, name, kLongestHeader), name);
  const uint64_t size = header_size(shape) + count_of(shape);
  constexpr uint64_t kMaxRatio = 1032;  // of deflate
  if (size > kMaxUnpacked || size / kMaxRatio > packed.size()) {
    throw FormatError("idx", name + ": expected as many bytes as its sizes say, " +
                                 std::to_string(size) + ", received " +
                                 std::to_string(packed.size()) + " packed bytes, too few for them");
  }
  return gunzip(packed, name, size);
}

IdxArray read_idx(const fs::path& path, size_t dims) {
  std::string contents = io::read_file(path);
  if (is_gzip(contents)) contents = unpacked(contents, path.string());
  IdxArray array = parse_idx(contents, path.string());
  if (array.shape.size() != dims) {
    throw FormatError("idx", path.string() + ": expected " + std::to_string(dims) +
                                 " dimensions, received " + std::to_string(array.shape.size()));
  }
  return array;
}

std::vector<std::string> class_names_of(const std::string& name, int64_t num_classes) {
  const std::string lower = lower_case(name);
  if (num_classes != 10) return {};
  if (contains(lower, "fashion")) {
    return {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
            "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
  }
  if (lower == "mnist") return {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
  return {};
}

}  // namespace

IdxArray parse_idx(const std::string& contents, const std::string& name) {
  IdxArray array{.shape = parse_header(contents, name), .values = {}};
  const size_t header = header_size(array.shape);
  const uint64_t received = contents.size() - header, expected = count_of(array.shape);
  if (expected > received) {
    throw FormatError("idx", name + ": expected as many bytes as its sizes say, received only " +
                                 std::to_string(received));
  }
  if (expected < received) {
    throw FormatError("idx", name + ": expected " + std::to_string(expected) + " bytes, received " +
                                 std::to_string(received));
  }
  array.values.assign(contents.begin() + static_cast<ptrdiff_t>(header), contents.end());
  return array;
}

bool is_idx(const fs::path& path) {
  return fs::is_directory(path) ? !images_files(path).empty() : is_images_file(path);
}

std::unique_ptr<Dataset> open_idx(const fs::path& path, const DatasetOptions& options) {
  const fs::path images_path = images_file_of_split(path, options.split);
  IdxArray images = read_idx(images_path, 3);
  const fs::path labels_path = labels_file_of(images_path);

  DatasetInfo info;
  info.name = fs::absolute(images_path).parent_path().filename().string();
  info.format = "idx";
  info.channels = 1;
  info.height = images.shape[1];
  info.width = images.shape[2];
  std::vector<int32_t> labels;
  if (!labels_path.empty()) {
    const IdxArray bytes = read_idx(labels_path, 1);
    labels.assign(bytes.values.begin(), bytes.values.end());
    info.num_classes = num_classes_of(labels);
    info.class_names = class_names_of(info.name, info.num_classes);
  }
  RawPart part{.count = images.shape[0], .read_at = in_memory(std::move(images.values))};
  return std::make_unique<RawDataset>(std::move(info), std::vector{std::move(part)},
                                      PixelOrder::planes, std::move(labels), options);
}

}  // namespace halfstep::data
