#include "halfstep/data/loader.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/core/random.h"

namespace halfstep::data {
namespace {

void require_at_least_one(const char* what, int64_t value) {
  if (value >= 1) return;
  throw ConfigError("loader",
                    std::string(what) + ": expected at least 1, received " + std::to_string(value));
}

int64_t count_of(const LoaderOptions& options) {
  return options.count.value_or(options.batch_size - options.first);
}

void require_share(const LoaderOptions& options) {
  require_at_least_one("batch_size", options.batch_size);
  const int64_t count = count_of(options);
  if (options.first >= 0 && count >= 1 && options.first + count <= options.batch_size) return;
  throw ConfigError("loader", "share: expected images of the batch's " +
                                  std::to_string(options.batch_size) + ", received " +
                                  std::to_string(count) + " from " + std::to_string(options.first));
}

void mirror(std::span<uint8_t> chw, int64_t width) {
  for (auto row = chw.begin(); row != chw.end(); row += width) std::reverse(row, row + width);
}

}  // namespace

ImageBatch load_batch(const Dataset& dataset, const LoaderOptions& options, uint64_t update) {
  const DatasetInfo& info = dataset.info();
  require_at_least_one("data set's images", info.size);
  require_share(options);
  const auto size = static_cast<uint64_t>(info.size);
  const auto batch_size = static_cast<uint64_t>(options.batch_size);
  const auto first = static_cast<uint64_t>(options.first);
  const auto count = static_cast<size_t>(count_of(options));
  const auto image_bytes = static_cast<size_t>(info.image_bytes());

  ImageBatch batch{.update = update,
                   .batch_size = options.batch_size,
                   .first = options.first,
                   .count = count_of(options),
                   .pixels = std::vector<uint8_t>(count * image_bytes),
                   .labels = std::vector<int32_t>(count),
                   .float32 = !info.images()};
  std::optional<Permutation> order;
  uint64_t epoch_of_order = 0;
  for (size_t e = 0; e < count; ++e) {
    const uint64_t n = update * batch_size + first + e, epoch = n / size;
    if (!order || epoch != epoch_of_order) order.emplace(options.seed, epoch, size);
    epoch_of_order = epoch;
    const std::span<uint8_t> image = std::span(batch.pixels).subspan(e * image_bytes, image_bytes);
    batch.labels[e] = dataset.read(static_cast<int64_t>((*order)(n % size)), image);
    const RandomKey coin{options.seed, Purpose::flip, update, static_cast<uint32_t>(first + e)};
    if (options.random_flip && info.images() && uniform_int(coin, 2) == 1)
      mirror(image, info.width);
  }
  return batch;
}

Loader::Loader(std::shared_ptr<const Dataset> dataset, LoaderOptions options)
    : dataset_(std::move(dataset)),
      options_(options),
      next_to_make_(options.first_update),
      next_to_give_(options.first_update) {
  require_at_least_one("data set's images", dataset_->info().size);
  require_share(options_);
  require_at_least_one("num_threads", options_.num_threads);
  require_at_least_one("prefetch", options_.prefetch);
  for (int i = 0; i < options_.num_threads; ++i) threads_.emplace_back([this] { work(); });
}

Loader::~Loader() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  may_make_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Loader::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    may_make_.wait(lock, [this] {
      return stopping_ || next_to_make_ - next_to_give_ < static_cast<uint64_t>(options_.prefetch);
    });
    if (stopping_) return;
    const uint64_t update = next_to_make_++;
    lock.unlock();
    Result result;
    try {
      result.batch = load_batch(*dataset_, options_, update);
    } catch (...) {  // thrown again by next()
      result.error = std::current_exception();
    }
    lock.lock();
    results_[update] = std::move(result);
    made_.notify_one();
  }
}

ImageBatch Loader::next() {
  std::unique_lock lock(mutex_);
  made_.wait(lock, [this] { return results_.contains(next_to_give_); });
  Result result = std::move(results_.extract(next_to_give_++).mapped());
  lock.unlock();
  may_make_.notify_one();
  if (result.error) std::rethrow_exception(result.error);
  return std::move(result.batch);
}

}  // namespace halfstep::data
