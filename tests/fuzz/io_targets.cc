#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "halfstep/io/fields.h"
#include "halfstep/io/flax_checkpoint.h"
#include "halfstep/io/image.h"
#include "halfstep/io/json.h"
#include "halfstep/io/lmdb.h"
#include "halfstep/io/npy.h"
#include "halfstep/io/onnx_metadata.h"
#include "halfstep/io/safetensors.h"
#include "tests/fuzz/targets.h"

namespace halfstep::fuzz {
namespace {

std::vector<std::byte> copy_of(Input input) { return {input.begin(), input.end()}; }

// A struct with one field of each supported type.
struct Options {
  bool boolean = false;
  int64_t whole = 0;
  uint64_t positive = 0;
  double number = 0.0;
  std::string text;
  std::filesystem::path path;
  std::optional<int64_t> maybe;
  std::vector<int64_t> list;

  template <class Self, class Visit>
  static void for_each_field(Self& self, const Visit& visit) {
    visit("boolean", self.boolean, "true or false");
    visit("whole", self.whole, "an integer");
    visit("positive", self.positive, "an integer >= 0");
    visit("number", self.number, "a number");
    visit("text", self.text, "text");
    visit("path", self.path, "a path");
    visit("maybe", self.maybe, "an integer or null");
    visit("list", self.list, "integers");
  }
};

}  // namespace

void safetensors(Input input) {
  expect_valid_or_rejected([&] {
    const io::SafetensorsFile file(copy_of(input), "file");
    for (const auto& [name, tensor] : file.tensors()) io::require_consistent(tensor, name);
  });
}

void onnx_metadata(Input input) {
  const auto read = [&](std::uint64_t offset, std::span<std::byte> to) {
    if (offset > input.size() || to.size() > input.size() - offset)
      throw Finding("bytes outside of the file are read");
    std::ranges::copy(input.subspan(offset, to.size()), to.begin());
  };
  expect_valid_or_rejected([&] { io::read_onnx_metadata(read, input.size(), "file"); });
}

void npy(Input input) {
  expect_valid_or_rejected([&] {
    const io::Array array = io::decode_npy(copy_of(input), "file");
    io::require_consistent(array.view(), "file");
  });
}

void npz(Input input) {
  expect_valid_or_rejected([&] {
    for (const auto& [name, array] : io::decode_npz(input, "file"))
      io::require_consistent(array.view(), name);
  });
}

void flax_checkpoint(Input input) {
  expect_valid_or_rejected([&] {
    for (const auto& [name, array] : io::parse_flax_checkpoint(input, "file").arrays)
      io::require_consistent(array.view(), name);
  });
}

void image(Input input) {
  expect_valid_or_rejected([&] {
    // An image that was decoded can be encoded, since its size matches its pixels.
    const io::Image image = io::decode_image(input, "file");
    if (image.pixels.size() < size_t{1} << 16) (void)io::encode_png(image);
  });
}

void lmdb(Input input) {
  expect_valid_or_rejected([&] {
    const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
    const io::LmdbReader database(std::string(text), "file");
    for (size_t i = 0; i < database.count(); ++i) {
      std::vector<std::byte> value(database.size(i));
      database.read_at(i, 0, value);
    }
  });
}

// The reader of options.json, manifests, configurations and model metadata.
void fields(Input input) {
  expect_valid_or_rejected([&] {
    const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
    Options options;
    io::fields_from_json(io::parse_json(text, "file"), options, "file");
  });
}

}  // namespace halfstep::fuzz
