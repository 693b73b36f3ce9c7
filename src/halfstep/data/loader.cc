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

void require_shard(const LoaderOptions& options) {
  require_at_least_one("batch_size", options.batch_size);
  const int64_t count = count_of(options);
  if (options.first >= 0 && count >= 1 && options.first + count <= options.batch_size) return;
  throw ConfigError("loader", "shard: expected examples of a batch of " +
                                  std::to_string(options.batch_size) + ", received " +
                                  std::to_string(count) + " examples from number " +
                                  std::to_string(options.first));
}

void mirror(std::span<uint8_t> chw, int64_t width) {
  for (auto row = chw.begin(); row != chw.end(); row += width) std::reverse(row, row + width);
}

}  // namespace

ExampleBatch load_batch(const Dataset& dataset, const LoaderOptions& options, uint64_t update) {
  const DatasetInfo& info = dataset.info();
  require_at_least_one("size of the data set", info.size);
  require_shard(options);
  const auto size = static_cast<uint64_t>(info.size);
  const auto batch_size = static_cast<uint64_t>(options.batch_size);
  const auto first = static_cast<uint64_t>(options.first);
  const auto count = static_cast<size_t>(count_of(options));
  const auto example_bytes = static_cast<size_t>(info.example_bytes());

  ExampleBatch batch{.update = update,
                     .batch_size = options.batch_size,
                     .first = options.first,
                     .count = count_of(options),
                     .bytes = std::vector<uint8_t>(count * example_bytes),
                     .labels = std::vector<int32_t>(count),
                     .dtype = info.holds_images() ? io::DType::u8 : io::DType::f32};
  std::optional<Permutation> order;
  uint64_t epoch_of_order = 0;
  for (size_t e = 0; e < count; ++e) {
    const uint64_t n = update * batch_size + first + e, epoch = n / size;
    if (!order || epoch != epoch_of_order) order.emplace(options.seed, epoch, size);
    epoch_of_order = epoch;
    const std::span<uint8_t> example =
        std::span(batch.bytes).subspan(e * example_bytes, example_bytes);
    batch.labels[e] = dataset.read(static_cast<int64_t>((*order)(n % size)), example);
    const RandomKey coin{options.seed, Purpose::flip, update, static_cast<uint32_t>(first + e)};
    if (options.random_flip && info.holds_images() && uniform_int(coin, 2) == 1)
      mirror(example, info.width);
  }
  return batch;
}

Loader::Loader(std::shared_ptr<const Dataset> dataset, LoaderOptions options)
    : dataset_(std::move(dataset)),
      options_(options),
      next_to_load_(options.first_update),
      next_to_return_(options.first_update) {
  require_at_least_one("size of the data set", dataset_->info().size);
  require_shard(options_);
  require_at_least_one("num_threads", options_.num_threads);
  require_at_least_one("prefetch", options_.prefetch);
  for (int i = 0; i < options_.num_threads; ++i) threads_.emplace_back([this] { work(); });
}

Loader::~Loader() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  may_load_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Loader::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    may_load_.wait(lock, [this] {
      return stopping_ ||
             next_to_load_ - next_to_return_ < static_cast<uint64_t>(options_.prefetch);
    });
    if (stopping_) return;
    const uint64_t update = next_to_load_++;
    lock.unlock();
    Result result;
    try {
      result.batch = load_batch(*dataset_, options_, update);
    } catch (...) {  // rethrown by next()
      result.error = std::current_exception();
    }
    lock.lock();
    results_[update] = std::move(result);
    loaded_.notify_one();
  }
}

ExampleBatch Loader::next() {
  std::unique_lock lock(mutex_);
  loaded_.wait(lock, [this] { return results_.contains(next_to_return_); });
  Result result = std::move(results_.extract(next_to_return_++).mapped());
  lock.unlock();
  may_load_.notify_one();
  if (result.error) std::rethrow_exception(result.error);
  return std::move(result.batch);
}

}  // namespace halfstep::data
