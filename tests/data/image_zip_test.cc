#include "halfstep/data/image_zip.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <zip.h>

#include <atomic>
#include <thread>

#include "halfstep/data/open_dataset.h"
#include "tests/data/data_files.h"
#include "tests/io/hostile.h"
#include "tests/io/temporary_folder.h"

namespace halfstep::data {
namespace {

constexpr DatasetOptions kTest{.split = DatasetOptions::Split::test};

std::string picture(int first, int side = 2) {
  return png_file(counting_image(side, side, 3, first));
}

// Two images with names as in EDM's archives.
Files edm_files(const std::string& json) {
  return {{"00000/img00000000.png", picture(10)},
          {"00000/img00000001.png", picture(20)},
          {"dataset.json", json}};
}

constexpr const char* kJson =
    R"({"labels": [["00000/img00000001.png", 0], ["00000/img00000000.png", 6]]})";

class ImageZip : public testing::Test {
 protected:
  std::unique_ptr<Dataset> open(const Files& files, bool compressed = false,
                                const DatasetOptions& options = {}) {
    write_zip(folder / "set.zip", files, compressed);
    return open_dataset(folder / "set.zip", options);
  }
  // Writes the same files to a folder.
  std::unique_ptr<Dataset> open_folder(const Files& files) {
    for (const auto& [name, contents] : files) {
      std::filesystem::create_directories((folder / "set" / name).parent_path());
      io::write_file(folder / "set" / name, std::string_view(contents));
    }
    return open_dataset(folder / "set");
  }

  io::TemporaryFolder folder;
};

TEST_F(ImageZip, LabelsComeFromDatasetJson) {
  for (const bool compressed : {false, true}) {
    const auto dataset = open(edm_files(kJson), compressed);
    EXPECT_EQ(dataset->info().name, "set");
    EXPECT_EQ(dataset->info().format, "image-zip");
    EXPECT_EQ(dataset->info().size, 2);
    EXPECT_EQ(dataset->info().channels, 3);
    EXPECT_EQ(dataset->info().width, 2);
    EXPECT_EQ(dataset->info().num_classes, 7);
    EXPECT_EQ(labels_of(*dataset), (std::vector<int32_t>{6, 0}));
    EXPECT_EQ(pixels_of(*dataset, 0)[0], 10);
    EXPECT_EQ(pixels_of(*dataset, 1)[0], 20);
  }
}

TEST_F(ImageZip, NullMeansNoLabels) {
  EXPECT_EQ(open(edm_files(R"({"labels": null})"))->info().num_classes, 0);
  EXPECT_EQ(open(edm_files("{}"))->info().num_classes, 0);
}

TEST_F(ImageZip, WithoutDatasetJsonItIsReadLikeAFolder) {
  const Files files = {{"dog/a.png", picture(30)},
                       {"cat/b.png", picture(10)},
                       {"__MACOSX/cat/._b.png", "not an image"},
                       {"readme.txt", "hello"}};
  const auto dataset = open(files);
  EXPECT_EQ(dataset->info().class_names, (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(labels_of(*dataset), (std::vector<int32_t>{0, 1}));
  EXPECT_EQ(pixels_of(*dataset, 0)[0], 10);
}

TEST_F(ImageZip, TrainAndTestFoldersAreSplits) {
  const Files files = {{"train/cat/a.png", picture(1)},
                       {"train/dog/b.png", picture(2)},
                       {"test/cat/c.png", picture(3)}};
  EXPECT_EQ(pixels_of(*open(files), 1)[0], 2);
  EXPECT_EQ(pixels_of(*open(files, false, kTest), 0)[0], 3);
  io::expect_error<ConfigError>([&] { open(edm_files(kJson), false, kTest); }, "test split");
}

TEST_F(ImageZip, FolderAndItsZipHaveTheSameImages) {
  for (const Files& files :
       {edm_files(kJson), Files{{"cat/a.png", picture(1)}, {"dog/b.png", picture(2)}}}) {
    std::filesystem::remove_all(folder / "set");
    const auto zip = open(files, true), plain = open_folder(files);
    EXPECT_EQ(plain->info().format, "image-folder");
    EXPECT_EQ(labels_of(*zip), labels_of(*plain));
    EXPECT_EQ(zip->info().num_classes, plain->info().num_classes);
    for (int64_t i = 0; i < 2; ++i) EXPECT_EQ(pixels_of(*zip, i), pixels_of(*plain, i));
  }
}

TEST_F(ImageZip, FingerprintDependsOnThePixels) {
  const std::string before = open({{"a.png", picture(1)}})->fingerprint();
  EXPECT_EQ(open({{"a.png", picture(1)}}, true)->fingerprint(), before);
  EXPECT_NE(open({{"a.png", picture(2)}})->fingerprint(), before);
}

TEST_F(ImageZip, FingerprintDependsOnLabels) {
  const std::string other =
      R"({"labels": [["00000/img00000001.png", 1], ["00000/img00000000.png", 6]]})";
  EXPECT_NE(open(edm_files(kJson))->fingerprint(), open(edm_files(other))->fingerprint());
}

TEST_F(ImageZip, ReadIsThreadSafe) {
  Files files;
  for (int i = 0; i < 50; ++i) files.emplace_back(std::to_string(100 + i) + ".png", picture(i));
  const auto dataset = open(files, true);
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int64_t i = 0; i < 50; ++i) wrong += pixels_of(*dataset, i)[0] != i;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(ImageZip, NamesThatPointOutOfTheArchiveAreRejected) {
  for (const char* name :
       {"../a.png", "a/../../b.png", "/etc/a.png", "..\\a.png", "\\a.png", "./../a.png"}) {
    io::expect_error<FormatError>(
        [&] {
          open({{name, picture(1)}});
        },
        "expected names inside the archive");
  }
  EXPECT_EQ(open({{"a..b/c...png", picture(1)}})->info().size, 1);
}

TEST_F(ImageZip, BackslashesAndDotsInNamesAreNormalized) {
  for (const Files& files :
       {Files{{"cat\\a.png", picture(1)}, {"dog\\b.png", picture(2)}},
        Files{{"./cat/a.png", picture(1)}, {"./dog/./b.png", picture(2)}},
        Files{{"pets\\cat\\a.png", picture(1)}, {"pets\\dog\\b.png", picture(2)}}}) {
    const auto dataset = open(files);
    EXPECT_EQ(dataset->info().class_names, (std::vector<std::string>{"cat", "dog"}));
    EXPECT_EQ(pixels_of(*dataset, 1)[0], 2);
  }
  io::expect_error<FormatError>(
      [&] {
        open({{"cat/a.png", picture(1)}, {"cat\\a.png", picture(2)}});
      },
      "received \"cat/a.png\" twice");
}

TEST_F(ImageZip, OneFolderAroundAnArchiveOfEdmIsEntered) {
  Files files = edm_files(kJson);
  for (auto& [name, contents] : files) name = "cifar/" + name;
  files.emplace_back("__MACOSX/cifar/._dataset.json", "x");
  const auto dataset = open(files);
  EXPECT_EQ(labels_of(*dataset), (std::vector<int32_t>{6, 0}));
  EXPECT_EQ(dataset->fingerprint(), open(edm_files(kJson))->fingerprint());
  EXPECT_TRUE(dataset->info().passed_over.empty());
}

TEST_F(ImageZip, LinksAndOtherFilesArePassedOver) {
  write_zip(folder / "set.zip",
            {{"cat/a.png", picture(1)}, {"cat/b.png", "a.png"}, {"cat/c.heic", "x"}});
  int code = 0;
  zip_t* archive = zip_open((folder / "set.zip").c_str(), 0, &code);
  ASSERT_NE(archive, nullptr);
  zip_file_set_external_attributes(archive, 1, 0, ZIP_OPSYS_UNIX, (S_IFLNK | 0777u) << 16);
  ASSERT_EQ(zip_close(archive), 0);
  EXPECT_EQ(open_dataset(folder / "set.zip")->info().notes(),
            std::vector<std::string>{"passed over: 1 file (1 .heic), 1 link"});
}

TEST_F(ImageZip, AZipWithoutImagesIsAConfigError) {
  io::expect_error<ConfigError>([&] { open({{"a.txt", "text"}}); }, "received none");
  io::write_file(folder / "x.zip", std::string_view("text"));
  io::expect_error<FormatError>([&] { open_dataset(folder / "x.zip"); }, "expected a zip file");
}

// The entry claims the size of a zip bomb and must be rejected before it is unpacked.
TEST_F(ImageZip, TooLargeEntriesAreRejected) {
  write_zip(folder / "set.zip", {{"a.png", picture(1)}}, true);
  std::string file = io::read_file(folder / "set.zip");
  const size_t size_field = file.find("PK\x01\x02") + 24;  // in the central directory
  file.replace(size_field, 4, "\xff\xff\xff\x7f");
  io::write_file(folder / "set.zip", std::string_view(file));
  io::expect_error<FormatError>([&] { open_dataset(folder / "set.zip"); },
                                "at most 268435456 bytes, received 2147483647");
}

TEST_F(ImageZip, DamagedImageIsNamed) {
  Files files = edm_files(kJson);
  files[1].second.resize(40);
  io::expect_error<FormatError>([&] { open(files); },
                                "1 broken image: 00000/img00000001.png; the first: ");
}

TEST_F(ImageZip, SurvivesMutations) {
  write_zip(folder / "set.zip", edm_files(kJson), true);
  const io::Bytes whole = io::read_bytes(folder / "set.zip");
  const auto read = [](const io::Bytes& contents) {
    const auto dataset =
        open_image_zip(std::make_unique<io::ZipReader>(contents, "file"), "file", {});
    pixels_of(*dataset, 0);
  };
  io::expect_no_prefix_is_read(whole, read);
  io::expect_mutations_survived(whole, 500, read);
}

}  // namespace
}  // namespace halfstep::data
