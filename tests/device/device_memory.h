// The memory of the device of fake_device.h, and memory of the host for copies to it.
#ifndef HALFSTEP_TESTS_DEVICE_DEVICE_MEMORY_H_
#define HALFSTEP_TESTS_DEVICE_DEVICE_MEMORY_H_

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
