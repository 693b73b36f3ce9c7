// Batches that are on a device before they are needed.
#include "halfstep/train/uploading_loader.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "halfstep/core/error.h"
#include "tests/device/fake_device.h"
#include "tests/device/test_device.h"
#include "tests/train/small_runs.h"

namespace halfstep {
namespace {

using test::test_device;

std::unique_ptr<data::Loader> loader(std::shared_ptr<const data::Dataset> dataset) {
  return std::make_unique<data::Loader>(
      std::move(dataset), data::LoaderOptions{.seed = 3, .batch_size = 4, .first_update = 6});
}

TEST(UploadingLoader, HandsOutTheBatchesOfTheLoader) {
  if (test_device().is_cpu()) GTEST_SKIP() << "nothing is uploaded to the CPU";
  const std::shared_ptr<data::RawDataset> dataset = test::small_dataset();
  UploadingLoader batches(loader(dataset), test_device());
  for (uint64_t update = 6; update < 12; ++update) {
    const UpdateExamples examples = batches.next();
    const data::ExampleBatch expected = load_batch(*dataset, {.seed = 3, .batch_size = 4}, update);
    EXPECT_EQ(examples.update, update);
    EXPECT_EQ(examples.labels, expected.labels);
    const Tensor values = examples.values.cpu();
    ASSERT_EQ(values.nbytes(), expected.bytes.size());
    EXPECT_EQ(std::memcmp(values.const_data_ptr(), expected.bytes.data(), values.nbytes()), 0);
  }
}

TEST(UploadingLoader, UploadsWithoutAWait) {
  if (!test_device().is_privateuseone()) GTEST_SKIP() << "copies are not counted on this device";
  UploadingLoader batches(loader(test::small_dataset()), test_device());
  batches.next();
  const test::CountCopies copies;
  for (int i = 0; i < 4; ++i) batches.next();
  EXPECT_GE(copies.uploads(), 2);  // two may have been made before
  EXPECT_EQ(copies.waits(), 0) << copies.places();
}

TEST(UploadingLoader, LeavesTheUploadToTheUpdateOnTheCpu) {
  UploadingLoader batches(loader(test::small_dataset()), at::kCPU);
  EXPECT_EQ(batches.next().update, 6U);
  EXPECT_FALSE(batches.next().values.defined());
}

// Fails to read one of its examples.
class Damaged final : public data::Dataset {
 public:
  const data::DatasetInfo& info() const override { return good_->info(); }
  int32_t read(int64_t index, std::span<uint8_t> out) const override {
    if (index == 2) throw FormatError("image 2", "is damaged");
    return good_->read(index, out);
  }
  std::string fingerprint() const override { return good_->fingerprint(); }

 private:
  const std::shared_ptr<data::RawDataset> good_ = test::small_dataset();
};

TEST(UploadingLoader, ThrowsAnErrorInThePlaceOfItsBatch) {
  UploadingLoader batches(loader(std::make_shared<Damaged>()), test_device());
  int errors = 0;
  for (uint64_t update = 6; update < 12; ++update) {
    try {
      EXPECT_EQ(batches.next().update, update);
    } catch (const FormatError&) {
      ++errors;
    }
  }
  EXPECT_EQ(errors, 2);  // once in each epoch of three batches
}

}  // namespace
}  // namespace halfstep
