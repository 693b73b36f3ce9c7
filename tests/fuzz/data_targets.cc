#include <memory>
#include <string>
#include <vector>

#include "halfstep/data/dataset_json.h"
#include "halfstep/data/gzip.h"
#include "halfstep/data/idx.h"
#include "halfstep/data/image_zip.h"
#include "halfstep/data/tar.h"
#include "halfstep/io/zip.h"
#include "tests/fuzz/targets.h"

namespace halfstep::fuzz {
namespace {

std::string_view text_of(Input input) {
  return {reinterpret_cast<const char*>(input.data()), input.size()};
}

}  // namespace

void image_zip(Input input) {
  expect_valid_or_rejected([&] {
    const auto dataset =
        data::open_image_zip(std::make_unique<const io::ZipReader>(input, "file"), "file", {});
    std::vector<uint8_t> pixels(static_cast<size_t>(dataset->info().example_bytes()));
    dataset->read(dataset->info().size - 1, pixels);
    (void)dataset->fingerprint();
  });
}

void dataset_json(Input input) {
  expect_valid_or_rejected([&] {
    const data::LabelledNames images =
        data::classes_by_json(text_of(input), {"a.png", "b.png"}, "file");
    for (const int32_t label : images.labels) {
      if (label < 0 || label >= images.num_classes) throw Finding("a label that is not a class");
    }
  });
}

void idx(Input input) {
  expect_valid_or_rejected([&] {
    const data::IdxArray array = data::parse_idx(std::string(text_of(input)), "file");
    uint64_t count = 1;
    for (const int64_t size : array.shape) count *= static_cast<uint64_t>(size);
    if (count != array.values.size()) throw Finding("a shape that does not fit");
  });
}

// CIFAR-10's archive. The limit of the unpacked size is low, so that the fuzzer spends its time on
// parsing.
void tar_gz(Input input) {
  expect_valid_or_rejected([&] {
    const std::string archive = data::gunzip(text_of(input), "file", uint64_t{1} << 20);
    for (const data::TarMember& member : data::read_tar(archive, "file")) {
      if (member.contents.size() > archive.size())
        throw Finding("a member larger than its archive");
    }
  });
  expect_valid_or_rejected([&] { (void)data::read_tar(text_of(input), "file"); });
}

}  // namespace halfstep::fuzz
