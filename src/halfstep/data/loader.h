// Batches of training examples, loaded ahead of time by background threads.
//
// A batch is a pure function of the data set, the seed and the update. Example e of update u is
// element n = u * batch_size + e of an endless sequence of epochs, each of which is a random
// permutation of the data set:
//   epoch = n / size,   index = Permutation(seed, epoch)(n mod size).
// With random_flip, an image is mirrored left to right with probability 1/2, decided by (seed, u,
// e). So batches do not depend on the number of threads, and a resumed run only needs the number of
// its first update.
#ifndef HALFSTEP_DATA_LOADER_H_
#define HALFSTEP_DATA_LOADER_H_

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "halfstep/data/dataset.h"
#include "halfstep/io/dtype.h"

namespace halfstep::data {

struct LoaderOptions {
  uint64_t seed = 0;
  int64_t batch_size = 1;  // examples per update, of all processes
  // This process loads examples [first, first + count) of each update: its shard.
  int64_t first = 0;
  std::optional<int64_t> count = std::nullopt;  // nullopt: to the end of the batch
  bool random_flip = false;                     // mirror images at random; ignored for other data
  uint64_t first_update = 0;                    // update of the first batch
  int num_threads = 1;                          // background threads
  int prefetch = 4;  // most batches loaded ahead, and most threads that work at once
};

// The examples of an update, or one process's shard of them.
struct ExampleBatch {
  uint64_t update = 0;
  int64_t batch_size = 0;           // examples of the update, of all processes
  int64_t first = 0;                // position of this shard within the batch
  int64_t count = 0;                // examples in this shard
  std::vector<uint8_t> bytes;       // [count, ...] elements of `dtype`, channels first
  std::vector<int32_t> labels;      // [count]; -1 if the data set has no labels
  io::DType dtype = io::DType::u8;  // u8 for images, f32 for other data
};

// Loads the batch of one update. Uses only seed, batch_size, first, count and random_flip of the
// options. Thread-safe. Throws what Dataset::read throws, and ConfigError for an empty data set and
// for an invalid batch_size, first or count.
ExampleBatch load_batch(const Dataset& dataset, const LoaderOptions& options, uint64_t update);

// Calls load_batch in background threads. next() must be called from one thread only.
class Loader {
 public:
  // Throws ConfigError for an empty data set and for invalid options.
  Loader(std::shared_ptr<const Dataset> dataset, LoaderOptions options);
  // Stops and joins the threads and drops the remaining batches.
  ~Loader();

  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  // Returns the batches of updates first_update, first_update + 1, ... in order, waiting if
  // necessary. If loading a batch failed, throws that error in its place; the next call returns the
  // batch after it.
  ExampleBatch next();

 private:
  struct Result {
    ExampleBatch batch;
    std::exception_ptr error;
  };

  void work();

  const std::shared_ptr<const Dataset> dataset_;
  const LoaderOptions options_;

  std::mutex mutex_;  // guards everything below except threads_
  std::condition_variable may_load_, loaded_;
  bool stopping_ = false;
  uint64_t next_to_load_, next_to_return_;
  std::map<uint64_t, Result> results_;  // by update; at most `prefetch` of them

  std::vector<std::thread> threads_;
};

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_LOADER_H_
