#include "halfstep/metrics/feature_network.h"

#include <algorithm>
#include <system_error>

#include "halfstep/core/error.h"
#include "halfstep/core/listed.h"
#include "halfstep/io/fields.h"
#include "halfstep/io/json.h"
#include "halfstep/io/safetensors.h"
#include "halfstep/metrics/inception.h"
#include "halfstep/metrics/resnet20.h"
#include "halfstep/metrics/torchscript_features.h"

namespace halfstep::metrics {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMetadataKey = "halfstep_features";

struct Metadata {
  std::string network;
  std::string name;
  std::vector<double> mean, std;

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("network", self.network, "resnet20 or inception");
    visit("name", self.name, "name of the network in results");
    visit("mean", self.mean, "one number per channel");
    visit("std", self.std, "one number per channel");
  }
};

std::unique_ptr<FeatureNetwork> from_safetensors(const fs::path& path) {
  const io::SafetensorsFile file(path);
  const auto found = file.metadata().find(kMetadataKey);
  if (found == file.metadata().end()) {
    throw FormatError(path.string(),
                      std::string("expected the metadata key ") + kMetadataKey +
                          ", received none; use a script in tools/ to write the file");
  }
  const std::string where = path.string() + ": " + kMetadataKey;
  Metadata metadata;
  io::fields_from_json(io::parse_json(found->second, where), metadata, where);
  if (metadata.name.empty())
    throw FormatError(where, "name: expected a non-empty name, received an empty one");
  if (metadata.network == "resnet20") {
    return make_resnet20(file, {.name = metadata.name, .mean = metadata.mean, .std = metadata.std},
                         path.string());
  }
  if (metadata.network == "inception") {
    if (!metadata.mean.empty() || !metadata.std.empty())
      throw FormatError(where, "mean and std: expected none for inception, whose scaling is fixed");
    return std::make_unique<Inception>(file, metadata.name, path.string());
  }
  throw FormatError(
      where, "network: expected resnet20 or inception, received \"" + metadata.network + "\"");
}

// Returns what a path without a known ending is; of a folder, which networks are in it.
std::string received(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return "another name";
  std::vector<std::string> names;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    const fs::path extension = it->path().extension();
    if (extension == ".safetensors" || extension == ".pt")
      names.push_back(it->path().filename().string());
  }
  std::ranges::sort(names);
  return names.empty() ? "a folder" : "a folder with " + listed(names, /*most=*/5);
}

}  // namespace

Tensor images_for(const FeatureNetwork& network, const Tensor& images) {
  const FeatureSpec& spec = network.spec();
  if (images.scalar_type() != at::kByte || images.dim() != 4) {
    throw ConfigError(spec.name, std::string("images: expected uint8 [B, C, H, W], received ") +
                                     at::toString(images.scalar_type()) + " " +
                                     io::to_string(images.sizes().vec()));
  }
  if (spec.in_channels == 0 || images.size(1) == spec.in_channels) return images;
  if (images.size(1) == 1 && spec.in_channels == 3) return images.expand({-1, 3, -1, -1});
  throw ConfigError(spec.name, "images: expected " + std::to_string(spec.in_channels) +
                                   " channels, received " + std::to_string(images.size(1)));
}

std::unique_ptr<FeatureNetwork> load_feature_network(const fs::path& path) {
  if (path.extension() == ".safetensors") return from_safetensors(path);
  if (path.extension() == ".pt") return load_torchscript_features(path);
  throw FormatError(path.string(),
                    "expected the file of a feature network, NAME.safetensors or TorchScript "
                    "NAME.pt, received " +
                        received(path));
}

}  // namespace halfstep::metrics
