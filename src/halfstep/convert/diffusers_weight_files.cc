#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "halfstep/convert/diffusers_weights.h"
#include "halfstep/core/error.h"
#include "halfstep/io/json.h"
#include "halfstep/io/quote.h"
#include "halfstep/io/safetensors.h"
#include "halfstep/model/tensor_io.h"

namespace halfstep {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Tensors = std::map<std::string, Tensor>;

constexpr std::string_view kStem = "diffusion_pytorch_model";
constexpr std::string_view kSafetensors = ".safetensors";
constexpr std::string_view kIndex = ".safetensors.index";
constexpr size_t kMostShards = 1000;

// What diffusers loads as a network: a file, or the index of its shards.
struct WeightFile {
  fs::path path;
  std::string variant;  // such as fp16; empty: none
  bool is_index = false;
};

// Returns the variant in the name of a file, or none if it is of other weights. diffusers writes
//   STEM.safetensors              STEM.safetensors.index.json
//   STEM.VARIANT.safetensors      STEM.safetensors.index.VARIANT.json
std::optional<WeightFile> weight_file_of(const fs::path& path) {
  const std::string name = path.filename().string();
  if (!name.starts_with(kStem)) return std::nullopt;
  const std::string_view rest = std::string_view(name).substr(kStem.size());
  const auto between = [&](std::string_view begin, std::string_view end) {
    if (!rest.starts_with(begin) || !rest.ends_with(end) || rest.size() < begin.size() + end.size())
      return std::optional<std::string_view>();
    return std::optional(rest.substr(begin.size(), rest.size() - begin.size() - end.size()));
  };
  WeightFile file{.path = path, .variant = {}};
  std::optional<std::string_view> variant = between(kIndex, ".json");
  file.is_index = variant.has_value();
  if (!variant) variant = between("", kSafetensors);
  if (!variant || (!variant->empty() && variant->front() != '.')) return std::nullopt;
  if (!variant->empty()) file.variant = variant->substr(1);
  const bool is_shard = file.variant.find("-of-") != std::string::npos;
  return is_shard ? std::nullopt : std::optional(file);
}

// Returns the file that diffusers would load; with variants alone, the only one of them.
WeightFile find_weights(const fs::path& unet) {
  std::vector<WeightFile> files;
  std::error_code error;
  for (fs::directory_iterator entry(unet, error), end; !error && entry != end;
       entry.increment(error)) {
    if (const auto file = weight_file_of(entry->path())) files.push_back(*file);
  }
  if (error) {
    throw IoError(unet.string(),
                  "expected a readable folder, received \"" + error.message() + "\"");
  }
  if (files.empty()) {
    throw IoError(
        (unet / (std::string(kStem) + std::string(kSafetensors))).string(),
        "expected the weights, received no such file; if the weights are in another file, "
        "load the pipeline with diffusers and call save_pretrained(FOLDER)");
  }
  std::ranges::sort(files, {}, [](const WeightFile& file) {
    return std::pair(file.variant, !file.is_index);  // an index is loaded before a file
  });
  std::set<std::string> variants;
  for (const WeightFile& file : files) variants.insert(file.variant);
  if (!files.front().variant.empty() && variants.size() > 1) {
    throw FormatError(unet.string(), "expected weights, or one variant of them, received " +
                                         files.front().path.filename().string() + " and " +
                                         files.back().path.filename().string() +
                                         "; remove those that are not to be read");
  }
  return files.front();
}

// Returns the names of the shards. Names from the index never leave its folder.
std::set<std::string> shards_of(const json& weight_map, const std::string& where) {
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : weight_map.items()) {
    const std::string name = shard.is_string() ? shard.get<std::string>() : std::string();
    if (fs::path(name).filename() != name || !name.ends_with(kSafetensors)) {
      throw FormatError(where, "weight_map: " + io::quote(tensor) +
                                   ": expected the name of a .safetensors file in this folder, "
                                   "received " +
                                   (shard.is_string() ? io::quote(name) : shard.type_name()));
    }
    shards.insert(name);
    if (shards.size() > kMostShards) {
      throw FormatError(where, "weight_map: expected at most " + std::to_string(kMostShards) +
                                   " files, received more");
    }
  }
  return shards;
}

void add_tensors(const fs::path& path, Tensors& tensors) {
  const io::SafetensorsFile file(path);
  for (const auto& [name, array] : file.tensors()) {
    if (!tensors.emplace(name, to_tensor(array)).second)
      throw FormatError(path.string(), io::quote(name) + ": expected once, received in two files");
  }
}

Tensors read_shards(const fs::path& index) {
  const std::string where = index.string();
  const json contents = io::read_python_json(index);
  const json weight_map = contents.is_object() ? contents.value("weight_map", json()) : json();
  if (!weight_map.is_object())
    throw FormatError(where, "weight_map: expected an object, received none");
  Tensors tensors;
  for (const std::string& shard : shards_of(weight_map, where))
    add_tensors(index.parent_path() / shard, tensors);
  for (const auto& [name, shard] : weight_map.items()) {
    if (!tensors.contains(name))
      throw FormatError(where, io::quote(name) + ": expected in the files, received in none");
  }
  return tensors;
}

// Returns the name without the words that torch.compile and, at its beginning, DataParallel add.
std::string unwrapped(std::string_view name) {
  std::string result;
  for (size_t begin = 0; begin < name.size();) {
    const size_t end = std::min(name.find('.', begin), name.size());
    const std::string_view word = name.substr(begin, end - begin);
    if (word != "_orig_mod" && (word != "module" || !result.empty())) {
      if (!result.empty()) result += '.';
      result += word;
    }
    begin = end + 1;
  }
  return result;
}

Tensors unwrapped(Tensors tensors, const std::string& where) {
  Tensors result;
  for (auto& [name, tensor] : tensors) {
    if (!result.emplace(unwrapped(name), std::move(tensor)).second)
      throw FormatError(where,
                        io::quote(name) + ": expected once, received with and without a prefix");
  }
  return result;
}

}  // namespace

std::map<std::string, Tensor> read_diffusers_weights(const fs::path& unet,
                                                     std::vector<std::string>& notes) {
  const WeightFile file = find_weights(unet);
  if (!file.variant.empty())
    notes.push_back("read the variant " + io::quote(file.variant) + ", because there is no other");
  Tensors tensors;
  if (file.is_index) {
    tensors = read_shards(file.path);
  } else {
    add_tensors(file.path, tensors);
  }
  return unwrapped(std::move(tensors), file.path.string());
}

}  // namespace halfstep
