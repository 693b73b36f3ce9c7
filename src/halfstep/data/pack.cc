#include "halfstep/data/pack.h"

#include <cstddef>
#include <string>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/data/dataset_json.h"
#include "halfstep/io/image.h"
#include "halfstep/io/zip.h"

namespace halfstep::data {
namespace {

struct Stopped {};

std::string name_of_image(int64_t index) {
  constexpr size_t kDigits = 8, kFolderDigits = 5;
  std::string digits = std::to_string(index);
  digits.insert(0, kDigits - digits.size(), '0');
  return digits.substr(0, kFolderDigits) + "/img" + digits + ".png";
}

// Returns image `index` as a PNG and sets `label` to its label.
std::vector<std::byte> png_of(const Dataset& dataset, int64_t index, int32_t& label) {
  const DatasetInfo& info = dataset.info();
  std::vector<uint8_t> chw(static_cast<size_t>(info.example_bytes()));
  label = dataset.read(index, chw);
  io::Image image{static_cast<int>(info.width), static_cast<int>(info.height),
                  static_cast<int>(info.channels), std::vector<uint8_t>(chw.size())};
  // Transposes [channels, pixels] to [pixels, channels].
  to_planes(chw, info.height * info.width, image.pixels);
  return io::encode_png(image, io::PngCompression::none);
}

}  // namespace

bool pack(const Dataset& dataset, const std::filesystem::path& path,
          const std::function<bool(int64_t)>& keep_going) {
  constexpr int64_t kMaxImages = 100'000'000;  // more would not fit into eight digits
  const DatasetInfo& info = dataset.info();
  if (!info.holds_images())
    throw ConfigError("pack", info.name + ": expected images, received float32 data");
  if (info.size > kMaxImages) {
    throw ConfigError("pack", info.name + ": expected at most " + std::to_string(kMaxImages) +
                                  " images, received " + std::to_string(info.size));
  }
  LabelledNames images{.class_names = info.class_names};
  images.labels.resize(info.num_classes > 0 ? static_cast<size_t>(info.size) : 0);
  io::ZipWriter zip(path);
  for (int64_t i = 0; i < info.size; ++i) {
    images.names.push_back(name_of_image(i));
    zip.add(images.names.back(), [&, i] {
      if (!keep_going(i)) throw Stopped();
      int32_t label = -1;
      std::vector<std::byte> png = png_of(dataset, i, label);
      if (!images.labels.empty()) images.labels[static_cast<size_t>(i)] = label;
      return png;
    });
  }
  zip.add(kDatasetJson, [&] {
    const std::string text = dataset_json(images);
    const auto bytes = std::as_bytes(std::span(text));
    return std::vector<std::byte>(bytes.begin(), bytes.end());
  });
  try {
    zip.commit();
  } catch (const Stopped&) {
    return false;
  }
  return true;
}

}  // namespace halfstep::data
