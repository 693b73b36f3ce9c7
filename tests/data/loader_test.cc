#include "halfstep/data/loader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <set>
#include <thread>

#include "halfstep/core/random.h"
#include "halfstep/data/raw_dataset.h"
#include "tests/data/data_files.h"
#include "tests/io/hostile.h"

namespace halfstep::data {
namespace {

// A data set whose image i, of shape [3, 2, 4], has the values i, i + 1, ... and label i % 5. Image
// `broken` cannot be read. Counts the calls of read().
class CountingDataset : public Dataset {
 public:
  explicit CountingDataset(int64_t size, int64_t broken = -1) : broken_(broken) {
    info_.name = "counting";
    info_.format = "test";
    info_.size = size;
    info_.channels = 3;
    info_.height = 2;
    info_.width = 4;
    info_.num_classes = 5;
  }

  const DatasetInfo& info() const override { return info_; }
  int32_t read(int64_t index, std::span<uint8_t> chw) const override {
    ++reads;
    require_readable(info_, index, chw);
    if (index == broken_) throw FormatError("counting", "broken image");
    const std::vector<uint8_t> values = counting_bytes(chw.size(), static_cast<int>(index));
    std::ranges::copy(values, chw.begin());
    return static_cast<int32_t>(index % 5);
  }
  std::string fingerprint() const override { return "counting"; }

  mutable std::atomic<int> reads = 0;

 private:
  DatasetInfo info_;
  int64_t broken_;
};

constexpr size_t kImage = 24;

std::vector<uint8_t> image_of(const ExampleBatch& batch, size_t e) {
  const auto begin = batch.bytes.begin() + static_cast<ptrdiff_t>(e * kImage);
  return {begin, begin + kImage};
}

std::vector<uint8_t> mirrored(std::vector<uint8_t> image) {
  for (size_t row = 0; row < image.size(); row += 4) {
    std::reverse(image.begin() + static_cast<ptrdiff_t>(row),
                 image.begin() + static_cast<ptrdiff_t>(row) + 4);
  }
  return image;
}

void expect_equal(const ExampleBatch& batch, const ExampleBatch& expected) {
  EXPECT_EQ(batch.update, expected.update);
  EXPECT_EQ(batch.count, expected.count);
  EXPECT_EQ(batch.bytes, expected.bytes);
  EXPECT_EQ(batch.labels, expected.labels);
}

TEST(LoadBatch, ImagesFollowThePermutationOfTheirEpoch) {
  const CountingDataset dataset(10);
  const LoaderOptions options{.seed = 3, .batch_size = 4};
  for (uint64_t update = 0; update < 20; ++update) {
    const ExampleBatch batch = load_batch(dataset, options, update);
    EXPECT_EQ(batch.update, update);
    EXPECT_EQ(batch.count, 4);
    for (uint64_t e = 0; e < 4; ++e) {
      const uint64_t n = 4 * update + e;
      const uint64_t image = Permutation(3, n / 10, 10)(n % 10);
      EXPECT_EQ(image_of(batch, e), counting_bytes(kImage, static_cast<int>(image)));
      EXPECT_EQ(batch.labels[e], static_cast<int32_t>(image % 5));
    }
  }
}

TEST(LoadBatch, AnEpochHasEveryImageOnce) {
  const CountingDataset dataset(12);
  std::multiset<int> seen;
  for (uint64_t update = 0; update < 6; ++update) {
    const ExampleBatch batch = load_batch(dataset, {.seed = 1, .batch_size = 4}, update);
    for (size_t e = 0; e < 4; ++e) seen.insert(image_of(batch, e)[0]);
  }
  for (int image = 0; image < 12; ++image) EXPECT_EQ(seen.count(image), 2u) << image;
}

TEST(LoadBatch, ABatchMaySpanSeveralEpochs) {
  const CountingDataset dataset(3);
  const ExampleBatch batch = load_batch(dataset, {.seed = 1, .batch_size = 9}, 5);
  std::multiset<int> seen;
  for (size_t e = 0; e < 9; ++e) seen.insert(image_of(batch, e)[0]);
  for (int image = 0; image < 3; ++image) EXPECT_EQ(seen.count(image), 3u) << image;
}

TEST(LoadBatch, HalfOfTheImagesAreMirrored) {
  const CountingDataset dataset(50);
  const LoaderOptions plain{.seed = 3, .batch_size = 100};
  LoaderOptions flipping = plain;
  flipping.random_flip = true;
  int flips = 0;
  for (uint64_t update = 0; update < 10; ++update) {
    const ExampleBatch straight = load_batch(dataset, plain, update);
    const ExampleBatch flipped = load_batch(dataset, flipping, update);
    EXPECT_EQ(straight.labels, flipped.labels);
    for (uint32_t e = 0; e < 100; ++e) {
      const bool flip = uniform_int({3, Purpose::flip, update, e}, 2) == 1;
      flips += flip ? 1 : 0;
      const std::vector<uint8_t> image = image_of(straight, e);
      ASSERT_EQ(image_of(flipped, e), flip ? mirrored(image) : image);
    }
  }
  EXPECT_NEAR(flips, 500, 4 * std::sqrt(250.0));
}

TEST(LoadBatch, ShardsConcatenateToTheBatch) {
  const CountingDataset dataset(10);
  const LoaderOptions options{.seed = 3, .batch_size = 7, .random_flip = true};
  const ExampleBatch whole = load_batch(dataset, options, 4);
  EXPECT_EQ(whole.first, 0);
  EXPECT_EQ(whole.batch_size, 7);
  ExampleBatch joined{.update = 4, .batch_size = 7};
  for (const int64_t first : {0, 3, 6}) {
    LoaderOptions shard = options;
    shard.first = first;
    if (first < 6) shard.count = 3;
    const ExampleBatch part = load_batch(dataset, shard, 4);
    EXPECT_EQ(part.first, first);
    EXPECT_EQ(part.batch_size, 7);
    EXPECT_EQ(part.count, first < 6 ? 3 : 1);
    joined.count += part.count;
    joined.bytes.insert(joined.bytes.end(), part.bytes.begin(), part.bytes.end());
    joined.labels.insert(joined.labels.end(), part.labels.begin(), part.labels.end());
  }
  expect_equal(joined, whole);
}

TEST(LoadBatch, ShardsOutsideTheBatchAreRejected) {
  const CountingDataset dataset(10);
  for (const auto& [first, count] : {std::pair{-1, 2}, {0, 5}, {3, 2}, {4, 0}}) {
    const LoaderOptions options{.batch_size = 4, .first = first, .count = count};
    EXPECT_THROW(load_batch(dataset, options, 0), ConfigError) << first << ", " << count;
  }
}

TEST(LoadBatch, OrderDependsOnTheSeed) {
  const CountingDataset dataset(100);
  EXPECT_NE(load_batch(dataset, {.seed = 1, .batch_size = 20}, 0).bytes,
            load_batch(dataset, {.seed = 2, .batch_size = 20}, 0).bytes);
}

TEST(LoadBatch, RejectsEmptyDataAndEmptyBatches) {
  EXPECT_THROW(load_batch(CountingDataset(0), {.batch_size = 1}, 0), ConfigError);
  EXPECT_THROW(load_batch(CountingDataset(5), {.batch_size = 0}, 0), ConfigError);
}

TEST(Loader, ReturnsTheBatchesOfLoadBatchForAnyNumberOfThreads) {
  const auto dataset = std::make_shared<CountingDataset>(37);
  for (const int threads : {1, 2, 4}) {
    for (const int prefetch : {1, 2, 8}) {
      const LoaderOptions options{.seed = 9,
                                  .batch_size = 8,
                                  .random_flip = true,
                                  .num_threads = threads,
                                  .prefetch = prefetch};
      Loader loader(dataset, options);
      for (uint64_t update = 0; update < 50; ++update) {
        expect_equal(loader.next(), load_batch(*dataset, options, update));
      }
    }
  }
}

TEST(Loader, RestartGivesTheSameBatches) {
  const auto dataset = std::make_shared<CountingDataset>(37);
  LoaderOptions options{.seed = 9, .batch_size = 8, .random_flip = true, .num_threads = 2};
  Loader loader(dataset, options);
  for (int update = 0; update < 13; ++update) loader.next();
  options.first_update = 13;
  Loader restarted(dataset, options);
  for (int update = 0; update < 10; ++update) expect_equal(restarted.next(), loader.next());
}

TEST(Loader, LoadsAtMostPrefetchBatchesAhead) {
  const auto dataset = std::make_shared<CountingDataset>(1000);
  Loader loader(dataset, {.batch_size = 10, .num_threads = 4, .prefetch = 3});
  loader.next();
  // One batch was returned and three are loaded ahead. Wait for them, and check that no more
  // follow.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (dataset->reads < 40 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(dataset->reads, 40);
}

TEST(Loader, ErrorIsThrownInItsPlaceAndTheNextBatchFollows) {
  constexpr uint64_t kSeed = 4;
  const Permutation order(kSeed, 0, 30);
  const auto dataset = std::make_shared<CountingDataset>(30, static_cast<int64_t>(order(17)));
  const LoaderOptions options{.seed = kSeed, .batch_size = 5, .num_threads = 2};
  Loader loader(dataset, options);
  for (uint64_t update = 0; update < 3; ++update) EXPECT_EQ(loader.next().update, update);
  io::expect_error<FormatError>([&] { loader.next(); }, "broken image");
  EXPECT_EQ(loader.next().update, 4u);
}

TEST(Loader, StopsAtAnyTime) {
  const auto dataset = std::make_shared<CountingDataset>(100);
  for (int taken = 0; taken < 20; ++taken) {
    Loader loader(dataset, {.batch_size = 3, .num_threads = 1 + taken % 4, .prefetch = 2});
    for (int i = 0; i < taken % 5; ++i) loader.next();
  }
  EXPECT_EQ(dataset.use_count(), 1);
}

TEST(Loader, KeepsItsDataAlive) {
  std::unique_ptr<Loader> loader;
  {
    auto dataset = std::make_shared<CountingDataset>(100);
    loader = std::make_unique<Loader>(dataset, LoaderOptions{.batch_size = 3});
  }
  EXPECT_EQ(loader->next().count, 3);
}

TEST(Loader, RejectsCountsBelowOne) {
  const auto dataset = std::make_shared<CountingDataset>(10);
  EXPECT_THROW(Loader(dataset, {.batch_size = 0}), ConfigError);
  EXPECT_THROW(Loader(dataset, {.num_threads = 0}), ConfigError);
  EXPECT_THROW(Loader(dataset, {.prefetch = 0}), ConfigError);
  EXPECT_THROW(Loader(std::make_shared<CountingDataset>(0), {}), ConfigError);
}

// Mirroring float32 data would reverse the bytes of the numbers.
TEST(Loader, NumbersAreNeverMirrored) {
  constexpr size_t kBytes = 2 * sizeof(float);
  const RawDataset numbers({.name = "numbers", .format = "test", .float32_shape = {2}},
                           {{.count = 8, .read_at = in_memory(counting_bytes(8 * kBytes))}},
                           PixelOrder::planes, {}, {});
  const ExampleBatch batch =
      load_batch(numbers, {.seed = 3, .batch_size = 8, .random_flip = true}, 0);
  EXPECT_EQ(batch.dtype, io::DType::f32);
  ASSERT_EQ(batch.bytes.size(), 8 * kBytes);
  for (size_t at = 0; at < batch.bytes.size(); ++at) {
    EXPECT_EQ(batch.bytes[at], batch.bytes[at - at % kBytes] + at % kBytes);
  }
}

}  // namespace
}  // namespace halfstep::data
