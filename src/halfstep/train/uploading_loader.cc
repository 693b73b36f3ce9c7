#include "halfstep/train/uploading_loader.h"

#include <ATen/Functions.h>

#include "halfstep/device/side_stream.h"
#include "halfstep/device/to_device.h"

namespace halfstep {
namespace {

// Returns the bytes of a batch as a tensor on the host, which shares their memory.
Tensor values_of(data::ExampleBatch& batch) {
  const at::ScalarType type = batch.dtype == io::DType::f32 ? at::kFloat : at::kByte;
  const auto elements = static_cast<int64_t>(batch.bytes.size() / c10::elementSize(type));
  return at::from_blob(batch.bytes.data(), {elements}, at::TensorOptions().dtype(type));
}

}  // namespace

UploadingLoader::UploadingLoader(std::unique_ptr<data::Loader> loader, const at::Device& device)
    : loader_(std::move(loader)), device_(device) {
  if (!device_.is_cpu()) thread_ = std::thread([this] { work(); });
}

UploadingLoader::~UploadingLoader() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  may_upload_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void UploadingLoader::work() {
  const SideStream stream(device_);
  while (true) {
    Result result;
    try {
      result.examples.emplace(loader_->next());
      UpdateExamples& examples = *result.examples;
      stream.run([&] { examples.values = to_device(values_of(examples), device_); });
    } catch (...) {  // rethrown by next()
      result = {.examples = std::nullopt, .error = std::current_exception()};
    }
    std::unique_lock lock(mutex_);
    may_upload_.wait(lock, [this] { return stopping_ || !next_; });
    if (stopping_) return;
    next_ = std::move(result);
    uploaded_.notify_one();
  }
}

UpdateExamples UploadingLoader::next() {
  if (!thread_.joinable()) return loader_->next();
  std::unique_lock lock(mutex_);
  uploaded_.wait(lock, [this] { return next_.has_value(); });
  Result result = std::move(*next_);
  next_.reset();
  lock.unlock();
  may_upload_.notify_one();
  if (result.error) std::rethrow_exception(result.error);
  return std::move(*result.examples);
}

}  // namespace halfstep
