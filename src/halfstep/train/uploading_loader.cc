#include "halfstep/train/uploading_loader.h"

#include <ATen/Functions.h>

#include "halfstep/device/to_device.h"

namespace halfstep {

Tensor host_values(const data::ExampleBatch& batch) {
  const at::ScalarType type = batch.dtype == io::DType::f32 ? at::kFloat : at::kByte;
  const auto elements = static_cast<int64_t>(batch.bytes.size() / c10::elementSize(type));
  // from_blob takes a pointer to non-const.
  return at::from_blob(const_cast<uint8_t*>(batch.bytes.data()), {elements},
                       at::TensorOptions().dtype(type));
}

UploadingLoader::UploadingLoader(std::unique_ptr<data::Loader> loader, const at::Device& device)
    : loader_(std::move(loader)), device_(device) {
  if (device_.is_cpu()) return;
  thread_ = std::thread([this, stream = SideStream(device_)] { work(stream); });
}

UploadingLoader::~UploadingLoader() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  may_upload_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void UploadingLoader::work(const SideStream& stream) {
  while (true) {
    Result result;
    try {
      result.examples.emplace(loader_->next());
      UpdateExamples& examples = *result.examples;
      stream.run([&] { examples.values = to_device(host_values(examples), device_); });
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
