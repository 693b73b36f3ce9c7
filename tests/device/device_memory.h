// The memory of the device of fake_device.h.
#ifndef HALFSTEP_TESTS_DEVICE_DEVICE_MEMORY_H_
#define HALFSTEP_TESTS_DEVICE_DEVICE_MEMORY_H_

#include <c10/util/Exception.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <mutex>

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

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_DEVICE_DEVICE_MEMORY_H_
