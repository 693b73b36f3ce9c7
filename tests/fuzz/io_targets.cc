#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "halfstep/io/fields.h"
#include "halfstep/io/flax_checkpoint.h"
#include "halfstep/io/image.h"
#include "halfstep/io/json.h"
#include "halfstep/io/npy.h"
#include "halfstep/io/safetensors.h"
#include "tests/fuzz/targets.h"

namespace halfstep::fuzz {
namespace {

std::vector<std::byte> copy_of(Input input) { return {input.begin(), input.end()}; }

// A field of each kind that options have.
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
    visit("whole", self.whole, "a whole number");
    visit("positive", self.positive, "a whole number from 0");
    visit("number", self.number, "a number");
    visit("text", self.text, "text");
    visit("path", self.path, "a path");
    visit("maybe", self.maybe, "a whole number or null");
    visit("list", self.list, "whole numbers");
  }
};

}  // namespace

void safetensors(Input input) {
  expect_sound_or_refused([&] {
    const io::SafetensorsFile file(copy_of(input), "file");
    for (const auto& [name, tensor] : file.tensors()) io::require_consistent(tensor, name);
  });
}

void npy(Input input) {
  expect_sound_or_refused([&] {
    const io::Array array = io::decode_npy(copy_of(input), "file");
    io::require_consistent(array.view(), "file");
  });
}

void npz(Input input) {
  expect_sound_or_refused([&] {
    for (const auto& [name, array] : io::decode_npz(input, "file"))
      io::require_consistent(array.view(), name);
  });
}

void flax_checkpoint(Input input) {
  expect_sound_or_refused([&] {
    for (const auto& [name, array] : io::parse_flax_checkpoint(input, "file").arrays)
      io::require_consistent(array.view(), name);
  });
}

void image(Input input) {
  expect_sound_or_refused([&] {
    // What is read can be written: the sizes and the pixels agree.
    const io::Image image = io::decode_image(input, "file");
    if (image.pixels.size() < size_t{1} << 16) (void)io::encode_png(image);
  });
}

// What options.json, manifests, configurations and model metadata are read with.
void fields(Input input) {
  expect_sound_or_refused([&] {
    const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
    Options options;
    io::fields_from_json(io::parse_json(text, "file"), options, "file");
  });
}

}  // namespace halfstep::fuzz
