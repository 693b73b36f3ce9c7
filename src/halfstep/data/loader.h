// Batches of images, made ahead of time by background threads.
//
// A batch is a pure function of (data set, seed, update): image e of update u is number n = u *
// batch_size + e of an endless sequence of epochs, each the whole data set in an order of its own:
//   epoch = n / size,   image = Permutation(seed, epoch)(n mod size),
// mirrored left to right where random_flip and the coin of (seed, u, e) say so (images alone). So
// neither the number of threads nor a restart changes a batch, and a restart needs no state but the
// number of its first update.
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

namespace halfstep::data {

struct LoaderOptions {
  uint64_t seed = 0;
  int64_t batch_size = 1;  // images an update
  // Of each update images [first, first + count) alone are loaded; the others are other processes'.
  int64_t first = 0;
  std::optional<int64_t> count = std::nullopt;  // none: to the end
  bool random_flip = false;
  uint64_t first_update = 0;  // the number of the first batch
  int num_threads = 1;        // background threads
  int prefetch = 4;           // batches made ahead at most; also the most threads that can be busy
};

// The images of an update, or a share of them.
struct ImageBatch {
  uint64_t update = 0;
  int64_t batch_size = 0;       // images of the update
  int64_t first = 0;            // the number of the first of these among them
  int64_t count = 0;            // images here
  std::vector<uint8_t> pixels;  // [count, channels, height, width]; or the bytes of float32
  std::vector<int32_t> labels;  // [count]; -1 where the data set has none
  bool float32 = false;         // pixels are the bytes of float32 numbers [count, ...]
};

// The batch of one update. Reads only seed, batch_size, first, count and random_flip of the
// options.
ImageBatch load_batch(const Dataset& dataset, const LoaderOptions& options, uint64_t update);

// Runs load_batch ahead of its caller. next() is for one thread.
class Loader {
 public:
  // Throws ConfigError for an empty data set and for counts below 1.
  Loader(std::shared_ptr<const Dataset> dataset, LoaderOptions options);
  ~Loader();  // stops and joins the threads; batches not yet taken are dropped

  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  // The batches of updates first_update, first_update + 1, ... in order. Waits until it is made. An
  // error met in making a batch is thrown here, in its place; the call after that gives the batch
  // after it.
  ImageBatch next();

 private:
  struct Result {
    ImageBatch batch;
    std::exception_ptr error;
  };

  void work();

  const std::shared_ptr<const Dataset> dataset_;
  const LoaderOptions options_;

  std::mutex mutex_;  // guards everything below but threads_
  std::condition_variable may_make_, made_;
  bool stopping_ = false;
  uint64_t next_to_make_, next_to_give_;
  std::map<uint64_t, Result> results_;  // by update; at most `prefetch`

  std::vector<std::thread> threads_;
};

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_LOADER_H_
