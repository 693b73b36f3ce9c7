// Data sets are read without loading them into memory: the peak memory while reading a whole data
// set is a small part of its size on disk.
#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "halfstep/data/open_dataset.h"
#include "halfstep/data/pack.h"
#include "halfstep/io/npy.h"
#include "tests/data/data_files.h"
#include "tests/io/hostile.h"
#include "tests/io/temporary_folder.h"

namespace halfstep::data {
namespace {

constexpr int64_t kSide = 64;
constexpr int64_t kImage = 3 * kSide * kSide;  // bytes

// Returns "VmRSS" or "VmHWM" (the peak) of this process, in bytes.
int64_t memory_of_process(const std::string& what) {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    int64_t kilobytes = 0;
    if (word == what + ":" && status >> kilobytes) return kilobytes << 10;
  }
  return -1;
}

// Returns the peak memory while `act` runs minus the memory before, in bytes.
int64_t peak_of(const std::function<void()>& act) {
  std::ofstream("/proc/self/clear_refs") << "5";  // resets the peak
  const int64_t before = memory_of_process("VmRSS");
  act();
  return memory_of_process("VmHWM") - before;
}

void read_all(const Dataset& dataset) {
  std::vector<uint8_t> pixels(static_cast<size_t>(dataset.info().example_bytes()));
  for (int64_t i = 0; i < dataset.info().size; ++i) dataset.read(i, pixels);
}

class LargerThanMemory : public testing::Test {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "sanitizers need additional memory";
#endif
  }

  // Writes a sparse file of zeros.
  void write_npy(const std::string& name, const std::vector<int64_t>& shape) {
    std::string dictionary = "{'descr': '|u1', 'fortran_order': False, 'shape': (";
    for (const int64_t size : shape) dictionary += std::to_string(size) + ", ";
    dictionary += "), }";
    dictionary.resize(118 - 1, ' ');
    dictionary += '\n';
    std::ofstream file(folder / name, std::ios::binary);
    file << "\x93NUMPY" << '\x01' << '\x00' << '\x76' << '\x00' << dictionary;
    file.close();
    std::filesystem::resize_file(folder / name,
                                 128 + static_cast<uint64_t>(io::element_count(shape)));
  }

  io::TemporaryFolder folder;
};

TEST_F(LargerThanMemory, NpyIsReadImageByImage) {
  constexpr int64_t kImages = 20'000;  // 246 MB
  write_npy("set.npy", {kImages, kSide, kSide, 3});
  const int64_t peak = peak_of([&] { read_all(*open_dataset(folder / "set.npy")); });
  EXPECT_LT(peak, kImages * kImage / 20);
}

TEST_F(LargerThanMemory, ImagenetBatchesAndZipsAreReadAndPackedImageByImage) {
  constexpr int64_t kImages = 4'000;  // 49 MB
  for (const bool compressed : {false, true}) {
    {
      write_npy("data.npy", {kImages, kImage});
      const std::vector<uint8_t> labels(kImages, 1);
      io::write_npy(folder / "labels.npy",
                    io::make_array<uint8_t>({kImages}, std::span(labels)).view());
      write_zip(folder / "train_data_batch_1.npz",
                {{"data.npy", io::read_file(folder / "data.npy")},
                 {"labels.npy", io::read_file(folder / "labels.npy")}},
                compressed);
    }
    const int64_t peak = peak_of([&] {
      pack(*open_dataset(folder.path()), folder / "set.zip", [](int64_t) { return true; });
      read_all(*open_dataset(folder / "set.zip"));
    });
    EXPECT_LT(peak, kImages * kImage / 5) << "compressed: " << compressed;
    EXPECT_GT(std::filesystem::file_size(folder / "set.zip"), kImages * kImage);
  }
}

}  // namespace
}  // namespace halfstep::data
