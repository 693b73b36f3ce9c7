// The memory of the device of fake_device.h, and memory of the host for copies to it.
#ifndef HALFSTEP_TESTS_DEVICE_DEVICE_MEMORY_H_
#define HALFSTEP_TESTS_DEVICE_DEVICE_MEMORY_H_

#include <ATen/ATen.h>
#include <c10/core/Allocator.h>
#include <c10/util/Exception.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <map>
#include <mutex>
#include <set>

namespace halfstep::test {

// The blocks of device memory. A block is mapped without any permission, and can be read and
// written only while it is open. Thread-safe.
class DeviceMemory {
 public:
  void* allocate(size_t bytes) {
    const size_t size = rounded(bytes);
    void* block = mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    TORCH_CHECK(block != MAP_FAILED, "fake device: out of memory");
    const std::lock_guard lock(mutex_);
    blocks_[block] = {.size = size};
    return block;
  }

  void release(void* block) {
    const std::lock_guard lock(mutex_);
    const auto found = blocks_.find(block);
    if (found == blocks_.end()) return;
    munmap(block, found->second.size);
    blocks_.erase(found);
  }

  void open(void* block) { change(block, 1); }
  void close(void* block) { change(block, -1); }

 private:
  struct Block {
    size_t size = 0;
    int users = 0;
  };

  static size_t rounded(size_t bytes) {
    constexpr size_t kPage = 4096;
    return (std::max<size_t>(bytes, 1) + kPage - 1) / kPage * kPage;
  }

  void change(void* block, int users) {
    const std::lock_guard lock(mutex_);
    Block& found = blocks_.at(block);
    found.users += users;
    mprotect(block, found.size, found.users > 0 ? PROT_READ | PROT_WRITE : PROT_NONE);
  }

  std::mutex mutex_;
  std::map<void*, Block> blocks_;
};

// The memory of the device.
inline DeviceMemory& device_memory() {
  static auto& memory = *new DeviceMemory;  // tensors may be released after static objects
  return memory;
}

// Makes the memory of a device tensor accessible while it lives.
class OpenMemory {
 public:
  explicit OpenMemory(const c10::Storage& storage) {
    if (storage.device_type() != c10::kPrivateUse1 || storage.nbytes() == 0) return;
    block_ = storage.mutable_data();
    device_memory().open(block_);
  }
  explicit OpenMemory(const at::Tensor& tensor) : OpenMemory(tensor.storage()) {}
  OpenMemory(const OpenMemory&) = delete;
  OpenMemory& operator=(const OpenMemory&) = delete;
  ~OpenMemory() {
    if (block_ != nullptr) device_memory().close(block_);
  }

 private:
  void* block_ = nullptr;
};

// Returns the memory of a tensor as a tensor on the host, for use while it is open.
inline at::Tensor on_host(const at::Tensor& tensor) {
  if (tensor.is_cpu()) return tensor;
  return at::from_blob(const_cast<void*>(tensor.const_data_ptr()), tensor.sizes(), tensor.strides(),
                       tensor.options().device(at::kCPU));
}

// Copies the values of a tensor, from and to any memory.
inline void copy_values(const at::Tensor& from, const at::Tensor& to) {
  const OpenMemory reading(from);
  const OpenMemory writing(to);
  on_host(to).copy_(on_host(from));
}

// Memory of the host from which copies need not wait. Thread-safe.
class PinnedAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    void* const block = std::malloc(std::max<size_t>(bytes, 1));
    const std::lock_guard lock(mutex());
    blocks().insert(block);
    return {block, block, &release, c10::Device(c10::kCPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }

  // Returns whether a block begins here.
  static bool has(const void* begin) {
    const std::lock_guard lock(mutex());
    return blocks().contains(begin);
  }

 private:
  static void release(void* block) {
    const std::lock_guard lock(mutex());
    blocks().erase(block);
    std::free(block);
  }
  static std::mutex& mutex() {
    static auto& mutex = *new std::mutex;
    return mutex;
  }
  static std::set<const void*>& blocks() {
    static auto& blocks = *new std::set<const void*>;
    return blocks;
  }
};

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_DEVICE_DEVICE_MEMORY_H_
