#include "halfstep/data/pack.h"

#include <gtest/gtest.h>

#include "halfstep/data/open_dataset.h"
#include "halfstep/io/npy.h"
#include "halfstep/io/zip.h"
#include "tests/data/data_files.h"
#include "tests/io/hostile.h"
#include "tests/io/temporary_folder.h"

namespace halfstep::data {
namespace {

const auto kGoOn = [](int64_t) { return true; };

class Pack : public testing::Test {
 protected:
  // Writes a folder with three images in two classes.
  std::unique_ptr<Dataset> open_folder(const DatasetOptions& options = {}) {
    write_image(folder / "set/dog/a.png", counting_image(6, 4, 3, 10));
    write_image(folder / "set/cat/b.png", counting_image(6, 4, 3, 20));
    write_image(folder / "set/cat/a.png", counting_image(6, 4, 3, 30));
    return open_dataset(folder / "set", options);
  }

  io::TemporaryFolder folder;
};

TEST_F(Pack, RoundTrips) {
  const auto dataset = open_folder();
  EXPECT_TRUE(pack(*dataset, folder / "x.zip", kGoOn));
  const auto packed = open_dataset(folder / "x.zip");
  EXPECT_EQ(packed->info().format, "image-zip");
  EXPECT_EQ(packed->info().class_names, (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(labels_of(*packed), (std::vector<int32_t>{0, 0, 1}));
  for (int64_t i = 0; i < 3; ++i) EXPECT_EQ(pixels_of(*packed, i), pixels_of(*dataset, i));
}

TEST_F(Pack, PacksGreyImagesWithoutLabels) {
  io::write_npy(
      folder / "x.npy",
      io::make_array<uint8_t>({2, 2, 3, 1}, std::span(counting_bytes(12).data(), 12)).view());
  const auto dataset = open_dataset(folder / "x.npy");
  EXPECT_TRUE(pack(*dataset, folder / "x.zip", kGoOn));
  const auto packed = open_dataset(folder / "x.zip");
  EXPECT_EQ(packed->info().channels, 1);
  EXPECT_EQ(packed->info().num_classes, 0);
  EXPECT_EQ(pixels_of(*packed, 1), counting_bytes(6, 6));
}

TEST_F(Pack, ArchiveHasTheLayoutOfEdmsTool) {
  EXPECT_TRUE(pack(*open_folder(), folder / "x.zip", kGoOn));
  const io::ZipReader archive(folder / "x.zip");
  const std::vector<io::ZipEntry> entries = archive.entries();
  ASSERT_EQ(entries.size(), 4u);
  EXPECT_EQ(entries[0].name, "00000/img00000000.png");
  EXPECT_EQ(entries[2].name, "00000/img00000002.png");
  EXPECT_EQ(entries[3].name, "dataset.json");
  for (const io::ZipEntry& entry : entries) EXPECT_TRUE(entry.stored);
  const std::string json = R"({"class_names":["cat","dog"],"labels":[)"
                           R"(["00000/img00000000.png",0],["00000/img00000001.png",0],)"
                           R"(["00000/img00000002.png",1]]})";
  EXPECT_EQ(archive.read(entries[3], 1000), io::bytes_of(json));
}

TEST_F(Pack, PacksResizedImages) {
  const auto dataset = open_folder({.image_size = 2});
  EXPECT_TRUE(pack(*dataset, folder / "x.zip", kGoOn));
  const auto packed = open_dataset(folder / "x.zip");
  EXPECT_EQ(packed->info().width, 2);
  EXPECT_EQ(pixels_of(*packed, 1), pixels_of(*dataset, 1));
}

TEST_F(Pack, TheSameImagesGiveTheSameBytes) {
  pack(*open_folder(), folder / "x.zip", kGoOn);
  pack(*open_dataset(folder / "x.zip"), folder / "y.zip", kGoOn);
  EXPECT_EQ(io::read_bytes(folder / "x.zip"), io::read_bytes(folder / "y.zip"));
}

TEST_F(Pack, ReportsProgressAndLeavesNoFileWhenStopped) {
  std::vector<int64_t> counts;
  EXPECT_FALSE(pack(*open_folder(), folder / "x.zip", [&](int64_t images) {
    counts.push_back(images);
    return images < 2;
  }));
  EXPECT_EQ(counts, (std::vector<int64_t>{0, 1, 2}));
  EXPECT_EQ(folder.files(), 1) << "only the folder of images";
}

TEST_F(Pack, BrokenImageLeavesNoFile) {
  const auto dataset = open_folder();
  io::write_file(folder / "set/dog/a.png", std::string_view("text"));
  io::expect_error<FormatError>([&] { pack(*dataset, folder / "x.zip", kGoOn); }, "dog/a.png");
  EXPECT_EQ(folder.files(), 1);
}

}  // namespace
}  // namespace halfstep::data
