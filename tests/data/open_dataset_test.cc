#include "halfstep/data/open_dataset.h"

#include <gtest/gtest.h>

#include "tests/data/data_files.h"
#include "tests/io/hostile.h"
#include "tests/io/temporary_folder.h"

namespace halfstep::data {
namespace {

TEST(OpenDataset, MissingPathIsAnIoError) {
  const io::TemporaryFolder folder;
  io::expect_error<IoError>([&] { open_dataset(folder / "absent"); }, "does not exist");
}

TEST(OpenDataset, EmptyFolderIsAnErrorThatListsTheFormats) {
  const io::TemporaryFolder folder;
  io::expect_error<ConfigError>([&] { open_dataset(folder.path()); }, "received an empty folder");
  io::expect_error<ConfigError>([&] { open_dataset(folder.path()); }, "IDX files (MNIST family)");
}

TEST(OpenDataset, ErrorDescribesAnUnknownFolder) {
  const io::TemporaryFolder folder;
  for (const char* name : {"d.txt", "a.txt", "b.txt", "c.txt"}) {
    io::write_file(folder / name, std::string_view("text"));
  }
  io::expect_error<ConfigError>([&] { open_dataset(folder.path()); },
                                "a folder with 4 entries (a.txt, b.txt, c.txt, ...)");
}

TEST(OpenDataset, UnknownFileIsAConfigError) {
  const io::TemporaryFolder folder;
  io::write_file(folder / "x.txt", std::string_view("text"));
  io::expect_error<ConfigError>([&] { open_dataset(folder / "x.txt"); },
                                "a file of another format");
}

TEST(OpenDataset, Cifar10sPythonVersionIsRecognised) {
  const io::TemporaryFolder folder;
  io::write_file(folder / "data_batch_1", std::string_view("pickle"));
  io::expect_error<ConfigError>([&] { open_dataset(folder.path()); }, "cifar-10-binary.tar.gz");
}

TEST(OpenDataset, AFolderOfOtherFilesSaysWhatItHolds) {
  const io::TemporaryFolder folder;
  std::filesystem::create_directory(folder / "cat");
  io::write_file(folder / "cat" / "a.heic", std::string_view("x"));
  io::expect_error<ConfigError>(
      [&] { open_dataset(folder.path()); },
      "received a folder with 1 entries (cat) that hold 1 file (1 .heic)");
}

TEST(OpenDataset, PathsThatTheSystemRefusesAreIoErrors) {
  const io::TemporaryFolder folder;
  std::filesystem::create_symlink(folder / "circle", folder / "circle");
  io::expect_error<IoError>([&] { open_dataset(folder / "circle" / "x"); }, "circle");
  io::expect_error<IoError>([&] { open_dataset(folder / std::string(300, 'x')); },
                            "use a shorter path");
}

TEST(OpenDataset, ImageSizeMustBeInRange) {
  const io::TemporaryFolder folder;
  write_image(folder / "a.png", counting_image(2, 2, 1));
  for (const int64_t size : {int64_t{0}, int64_t{-4}, int64_t{1} << 40}) {
    io::expect_error<ConfigError>([&] { open_dataset(folder.path(), {.image_size = size}); },
                                  "image_size: expected 1 to 32768 pixels");
  }
}

TEST(ToPlanes, SeparatesChannels) {
  std::vector<uint8_t> planes(6);
  to_planes(counting_bytes(6), 3, planes);
  EXPECT_EQ(planes, (std::vector<uint8_t>{0, 3, 1, 4, 2, 5}));
  to_planes(counting_bytes(6), 1, planes);
  EXPECT_EQ(planes, counting_bytes(6));
}

}  // namespace
}  // namespace halfstep::data
