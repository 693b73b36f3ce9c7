// Batches of training examples, on a device before they are needed.
#ifndef HALFSTEP_TRAIN_UPLOADING_LOADER_H_
#define HALFSTEP_TRAIN_UPLOADING_LOADER_H_

#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "halfstep/core/tensor.h"
#include "halfstep/data/loader.h"
#include "halfstep/device/side_stream.h"

namespace halfstep {

// The examples of an update.
struct UpdateExamples : data::ExampleBatch {
  UpdateExamples(data::ExampleBatch batch)  // NOLINT(google-explicit-constructor)
      : data::ExampleBatch(std::move(batch)) {}

  // The bytes as a tensor on the device: uint8 or float32 [count * elements]. Undefined: the update
  // uploads them.
  Tensor values;
};

// Returns the bytes of a batch as a tensor on the CPU that shares their memory and is only read:
// uint8 or float32 [count * elements].
Tensor host_values(const data::ExampleBatch& batch);

// Hands out a loader's batches. For a device other than the CPU, a thread uploads the next batch
// from pinned memory while the update before it runs.
class UploadingLoader {
 public:
  UploadingLoader(std::unique_ptr<data::Loader> loader, const at::Device& device);
  ~UploadingLoader();
  UploadingLoader(const UploadingLoader&) = delete;
  UploadingLoader& operator=(const UploadingLoader&) = delete;

  // Does what data::Loader::next() does, from one thread only. Throws the errors of an upload, too.
  UpdateExamples next();

 private:
  struct Result {
    std::optional<UpdateExamples> examples;
    std::exception_ptr error;
  };

  void work(const SideStream& stream);

  const std::unique_ptr<data::Loader> loader_;
  const at::Device device_;

  std::mutex mutex_;  // guards everything below except thread_
  std::condition_variable may_upload_, uploaded_;
  bool stopping_ = false;
  std::optional<Result> next_;

  std::thread thread_;  // none on the CPU
};

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_UPLOADING_LOADER_H_
