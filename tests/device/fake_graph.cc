#include "tests/device/fake_graph.h"

#include <ATen/ATen.h>
#include <ATen/core/GraphImplInterface.h>

#include <atomic>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "tests/device/device_memory.h"
#include "tests/device/fake_streams.h"

namespace halfstep::test {
namespace {

using at::Tensor;

// Calls `visit` with each tensor among values, to read or to replace it.
template <class Visit>
void for_each_tensor(torch::jit::Stack& values, const Visit& visit) {
  for (c10::IValue& value : values) {
    if (value.isTensor()) {
      visit(value);
    } else if (value.isList()) {
      auto list = value.toList().copy();  // it may have other users
      for (size_t i = 0; i < list.size(); ++i) {
        c10::IValue element = list.get(i);
        if (!element.isTensor()) continue;
        visit(element);
        list.set(i, element);
      }
      value = list;
    }
  }
}

std::vector<Tensor> tensors_of(torch::jit::Stack values) {
  std::vector<Tensor> tensors;
  for_each_tensor(values, [&](const c10::IValue& value) { tensors.push_back(value.toTensor()); });
  return tensors;
}

bool is_on_device(const Tensor& tensor) { return tensor.defined() && tensor.is_privateuseone(); }

// A tensor as an operator of a graph refers to it: by its memory, or, on the host, by its value.
// The tensor itself may be given other memory later (set_data).
class Place {
 public:
  // `owned`: the memory belongs to the graph. That of others may be released before a replay.
  Place(const Tensor& tensor, bool owned) {
    if (!is_on_device(tensor)) {
      const bool is_number = tensor.defined() && tensor.unsafeGetTensorImpl()->is_wrapped_number();
      of_host_ = tensor.defined() && !is_number ? tensor.clone() : tensor;
      return;
    }
    sizes_ = tensor.sizes().vec();
    strides_ = tensor.strides().vec();
    offset_ = tensor.storage_offset();
    type_ = tensor.dtype();
    memory_ = tensor.storage().getWeakStorageImpl();
    if (owned) kept_ = tensor.storage();
  }

  Tensor tensor() const {
    if (!memory_) return of_host_;
    c10::intrusive_ptr<c10::StorageImpl> memory = memory_->lock();
    TORCH_CHECK(memory, "fake device: a graph refers to memory that was released");
    Tensor tensor = at::detail::make_tensor<c10::TensorImpl>(
        c10::Storage(std::move(memory)), c10::DispatchKeySet(c10::DispatchKey::PrivateUse1), type_);
    tensor.unsafeGetTensorImpl()->set_sizes_and_strides(sizes_, strides_, offset_);
    return tensor;
  }

 private:
  Tensor of_host_;
  std::vector<int64_t> sizes_, strides_;
  int64_t offset_ = 0;
  caffe2::TypeMeta type_;
  std::optional<c10::weak_intrusive_ptr<c10::StorageImpl>> memory_;
  c10::Storage kept_;
};

struct Recorded {
  torch::jit::Stack arguments;  // without their tensors
  std::vector<Place> tensors;   // among the arguments
  std::vector<Place> results;   // that have memory of their own
  Operator run;
};

struct Recording {
  c10::StreamId stream = 0;
  bool broken = false;
  std::vector<Recorded> operators;
  std::set<const void*> own_blocks;
  // The contents, before the capture, of all memory that it wrote to.
  std::map<const void*, std::pair<c10::Storage, std::vector<char>>> before;

  bool owns(const Tensor& tensor) const {
    return is_on_device(tensor) && own_blocks.contains(tensor.storage().data());
  }
};

std::recursive_mutex mutex;
Recording* recording = nullptr;  // one at a time
std::atomic<int64_t> replays = 0;

bool is_recording() {
  const std::lock_guard lock(mutex);
  return recording != nullptr && FakeStreams::current == recording->stream;
}

void save(const Tensor& tensor) {
  if (!is_on_device(tensor)) return;
  const c10::Storage& storage = tensor.storage();
  if (recording->before.contains(storage.data()) || storage.nbytes() == 0) return;
  const OpenMemory open(storage);
  const auto* bytes = static_cast<const char*>(storage.data());
  recording->before.emplace(storage.data(),
                            std::pair(storage, std::vector<char>(bytes, bytes + storage.nbytes())));
}

// Returns the operator with the places of its arguments.
Recorded recorded_of(const torch::jit::Stack& arguments, const Operator& run) {
  Recorded recorded{.arguments = arguments, .tensors = {}, .results = {}, .run = run};
  for_each_tensor(recorded.arguments, [&](c10::IValue& value) {
    recorded.tensors.emplace_back(value.toTensor(), recording->owns(value.toTensor()));
    value = Tensor();
  });
  return recorded;
}

class FakeGraph final : public at::GraphImplInterface {
 public:
  explicit FakeGraph(const at::GraphImplArgs& /*args*/ = {}) {}

  void capture_begin(at::MempoolId_t /*pool*/, at::GraphCaptureMode /*mode*/) override {
    const std::lock_guard lock(mutex);
    TORCH_CHECK(FakeStreams::current != 0, "fake device: captured on the default stream");
    TORCH_CHECK(recording == nullptr, "fake device: captured twice at once");
    own_.stream = FakeStreams::current;
    recording = &own_;
  }

  void capture_end() override {
    const std::lock_guard lock(mutex);
    recording = nullptr;
    for (const auto& [block, saved] : own_.before) {
      const auto& [storage, bytes] = saved;
      const OpenMemory open(storage);
      std::memcpy(storage.mutable_data(), bytes.data(), bytes.size());
    }
    own_.before.clear();
    for (const Recorded& recorded : own_.operators) {
      for (const Place& result : recorded.results) spoil(result.tensor());
    }
    TORCH_CHECK(!own_.broken, "fake device: the capture was broken off");
  }

  void replay() override {
    const std::lock_guard lock(mutex);
    for (const Recorded& recorded : own_.operators) {
      torch::jit::Stack arguments = recorded.arguments;
      size_t next = 0;
      for_each_tensor(arguments,
                      [&](c10::IValue& value) { value = recorded.tensors[next++].tensor(); });
      const std::vector<Tensor> results = tensors_of(recorded.run(std::move(arguments)));
      for (size_t i = 0; i < results.size(); ++i) {
        const Tensor to = recorded.results[i].tensor();
        if (is_on_device(to)) copy_values(results[i], to);
      }
    }
    ++replays;
  }

  void instantiate() override {}
  void reset() override { own_ = {}; }
  at::MempoolId_t pool() const override { return {0, 0}; }
  void enable_debug_mode() override {}
  void debug_dump(const std::string& /*path*/) override {}

 private:
  // Nothing was computed, so nothing must be read.
  static void spoil(const Tensor& tensor) {
    if (!is_on_device(tensor)) return;
    const OpenMemory open(tensor);
    std::memset(tensor.storage().mutable_data(), 0xFF, tensor.storage().nbytes());
  }

  Recording own_;
};

}  // namespace

torch::jit::Stack run_or_record(const torch::jit::Stack& arguments,
                                const torch::jit::Stack& changed, const Operator& run) {
  if (!is_recording()) return run(arguments);
  const std::lock_guard lock(mutex);
  for (const Tensor& tensor : tensors_of(changed)) save(tensor);
  Recorded recorded = recorded_of(arguments, run);
  torch::jit::Stack results = run(arguments);
  std::set<const void*> given;
  for (const Tensor& tensor : tensors_of(arguments))
    if (is_on_device(tensor)) given.insert(tensor.storage().data());
  for (const Tensor& result : tensors_of(results)) {
    const bool is_new = is_on_device(result) && !given.contains(result.storage().data());
    recorded.results.emplace_back(is_new ? result : Tensor(), /*owned=*/true);
  }
  recording->operators.push_back(std::move(recorded));
  return results;
}

void break_capture_off(const char* why) {
  if (!is_recording()) return;
  const std::lock_guard lock(mutex);
  recording->broken = true;
  TORCH_CHECK(false, "fake device: a capture was broken off by ", why);
}

void note_allocation(const void* block) {
  if (!is_recording()) return;
  const std::lock_guard lock(mutex);
  recording->own_blocks.insert(block);
}

void register_fake_graphs() {
  at::GraphImplRegistry()->Register(
      c10::DeviceTypeName(c10::kPrivateUse1, /*lower_case=*/false),
      [](const at::GraphImplArgs& args) -> std::unique_ptr<at::GraphImplInterface> {
        return std::make_unique<FakeGraph>(args);
      });
}

int64_t graph_replays() { return replays; }

}  // namespace halfstep::test
