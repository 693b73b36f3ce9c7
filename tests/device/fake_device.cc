#include "tests/device/fake_device.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/EmptyTensor.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <ATen/native/CPUFallback.h>
#include <ATen/native/Resize.h>
#include <ATen/ops/_local_scalar_dense_native.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/set_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <c10/core/impl/FakeGuardImpl.h>
#include <c10/util/Backtrace.h>
#include <torch/library.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <regex>
#include <utility>
#include <vector>

#include "tests/device/device_memory.h"

namespace halfstep::test {
namespace {

using at::Tensor;

DeviceMemory& memory() {
  static auto& memory = *new DeviceMemory;  // tensors may be released after static objects
  return memory;
}

class Allocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    void* block = memory().allocate(bytes);
    return {block, block, &release, c10::Device(c10::kPrivateUse1, 0)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* /*to*/, const void* /*from*/, size_t /*bytes*/) const override {
    TORCH_CHECK(false, "fake device: copy_data is not needed");
  }

 private:
  static void release(void* block) { memory().release(block); }
};
Allocator allocator;

PinnedAllocator pinned_allocator;

// Makes the memory of a device tensor accessible while it lives.
class Access {
 public:
  explicit Access(const Tensor& tensor) {
    if (!tensor.is_privateuseone() || tensor.storage().nbytes() == 0) return;
    block_ = tensor.storage().mutable_data();
    memory().open(block_);
  }
  Access(const Access&) = delete;
  Access& operator=(const Access&) = delete;
  ~Access() {
    if (block_ != nullptr) memory().close(block_);
  }

 private:
  void* block_ = nullptr;
};

// Returns the tensor's memory as a tensor on the host, for use during an Access.
Tensor on_host(const Tensor& tensor) {
  if (tensor.is_cpu()) return tensor;
  return at::from_blob(const_cast<void*>(tensor.const_data_ptr()), tensor.sizes(), tensor.strides(),
                       tensor.options().device(at::kCPU));
}

// What CountCopies counts.
struct Counter {
  std::mutex mutex;
  bool counts = false;
  int64_t uploads = 0;
  int64_t downloads = 0;
  int64_t waits = 0;
  std::vector<std::pair<bool, c10::Backtrace>> places;  // whether it is an upload
};
Counter counter;

// Lives while an operator runs on the CPU: its copies are not the code's own.
struct Fallback {
  Fallback() { ++depth; }
  Fallback(const Fallback&) = delete;
  Fallback& operator=(const Fallback&) = delete;
  ~Fallback() { --depth; }

  static thread_local int depth;
};
thread_local int Fallback::depth = 0;

void count(bool upload, bool waits) {
  const std::lock_guard lock(counter.mutex);
  if (!counter.counts || Fallback::depth > 0) return;
  ++(upload ? counter.uploads : counter.downloads);
  if (waits) ++counter.waits;
  counter.places.emplace_back(upload, c10::get_lazy_backtrace(/*frames_to_skip=*/1));
}

void fallback(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const Fallback running;
  at::native::cpu_fallback(op, stack);
}

Tensor empty(at::IntArrayRef shape, std::optional<at::ScalarType> dtype,
             std::optional<at::Layout> /*layout*/, std::optional<at::Device> /*device*/,
             std::optional<bool> /*pinned*/, std::optional<at::MemoryFormat> format) {
  return at::detail::empty_generic(shape, &allocator,
                                   c10::DispatchKeySet(c10::DispatchKey::PrivateUse1),
                                   c10::dtype_or_default(dtype), format);
}

Tensor empty_strided(at::IntArrayRef shape, at::IntArrayRef strides,
                     std::optional<at::ScalarType> dtype, std::optional<at::Layout> /*layout*/,
                     std::optional<at::Device> /*device*/, std::optional<bool> /*pinned*/) {
  return at::detail::empty_strided_generic(shape, strides, &allocator,
                                           c10::DispatchKeySet(c10::DispatchKey::PrivateUse1),
                                           c10::dtype_or_default(dtype));
}

Tensor copy_from(const Tensor& from, const Tensor& to, bool non_blocking) {
  const bool upload = from.is_cpu();
  if (from.device() != to.device())
    count(upload, /*waits=*/!(upload && non_blocking && from.is_pinned()));
  const Access reading(from);
  const Access writing(to);
  on_host(to).copy_(on_host(from));
  return to;
}

Tensor copy_from_and_resize(const Tensor& from, const Tensor& to) {
  to.resize_(from.sizes());
  return copy_from(from, to, false);
}

at::Scalar local_scalar_dense(const Tensor& tensor) {
  count(/*upload=*/false, /*waits=*/true);
  const Access reading(tensor);
  return at::native::_local_scalar_dense_cpu(on_host(tensor));
}

Tensor& set_storage(Tensor& tensor, at::Storage storage, int64_t offset, at::IntArrayRef shape,
                    at::IntArrayRef strides) {
  return at::native::set_storage_cpu_(tensor, storage, offset, shape, strides);
}

// As on a GPU, a tensor of the host may become one of the device (set_data).
bool compatible_shallow_copy(const Tensor& /*self*/, const Tensor& /*from*/) { return true; }

// A backend must bring these two itself.
Tensor convolution(const Tensor& input, const Tensor& weight, const std::optional<Tensor>& bias,
                   at::IntArrayRef stride, at::IntArrayRef padding, at::IntArrayRef dilation,
                   bool transposed, at::IntArrayRef output_padding, int64_t groups) {
  const Fallback running;
  const bool has_bias = bias && bias->defined();
  const Tensor output = at::convolution(
      input.cpu(), weight.cpu(), has_bias ? std::optional(bias->cpu()) : std::nullopt, stride,
      padding, dilation, transposed, output_padding, groups);
  return output.to(input.device());
}

std::tuple<Tensor, Tensor, Tensor> convolution_backward(
    const Tensor& grad, const Tensor& input, const Tensor& weight, at::IntArrayRef stride,
    at::IntArrayRef padding, at::IntArrayRef dilation, bool transposed,
    at::IntArrayRef output_padding, int64_t groups, std::array<bool, 3> mask) {
  const Fallback running;
  const std::vector<int64_t> bias_shape = {grad.size(1)};
  const auto [of_input, of_weight, of_bias] = at::convolution_backward(
      grad.cpu(), input.cpu(), weight.cpu(),
      mask[2] ? at::OptionalIntArrayRef(bias_shape) : at::OptionalIntArrayRef(), stride, padding,
      dilation, transposed, output_padding, groups, mask);
  const auto on_device = [&](const Tensor& t) { return t.defined() ? t.to(grad.device()) : t; };
  return {on_device(of_input), on_device(of_weight), on_device(of_bias)};
}

// Returns the names of halfstep's functions in a backtrace, the innermost first.
std::string own_functions(const std::string& backtrace) {
  static const std::regex name(R"(frame #\d+: [^\n]*?(halfstep::(?!test)[^(\n]*)\()");
  std::string names;
  for (std::sregex_iterator it(backtrace.begin(), backtrace.end(), name), end; it != end; ++it)
    names += (names.empty() ? "" : ", in ") + (*it)[1].str();
  return names;
}

struct Hooks final : at::PrivateUse1HooksInterface {
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool isPinnedPtr(const void* data) const override { return PinnedAllocator::has(data); }
  c10::Allocator* getPinnedMemoryAllocator() const override { return &pinned_allocator; }
  bool hasPrimaryContext(c10::DeviceIndex /*index*/) const override { return true; }
  const at::Generator& getDefaultGenerator(c10::DeviceIndex /*index*/) const override {
    static const at::Generator generator = at::make_generator<at::CPUGeneratorImpl>();
    return generator;
  }
  void resizePrivateUse1Bytes(const c10::Storage& storage, size_t bytes) const override {
    storage.unsafeGetStorageImpl()->set_data_ptr_noswap(allocator.allocate(bytes));
    storage.unsafeGetStorageImpl()->set_nbytes(bytes);
  }
};

}  // namespace

c10::Device fake_device() {
  static const bool registered = [] {
    static Hooks hooks;
    at::RegisterPrivateUse1HooksInterface(&hooks);
    c10::register_privateuse1_backend("fake");
    return true;
  }();
  return c10::Device(registered ? c10::kPrivateUse1 : c10::kCPU, 0);
}

CountCopies::CountCopies() {
  const std::lock_guard lock(counter.mutex);
  counter.uploads = counter.downloads = counter.waits = 0;
  counter.places.clear();
  counter.counts = true;
}

CountCopies::~CountCopies() {
  const std::lock_guard lock(counter.mutex);
  counter.counts = false;
}

int64_t CountCopies::uploads() const {
  const std::lock_guard lock(counter.mutex);
  return counter.uploads;
}

int64_t CountCopies::downloads() const {
  const std::lock_guard lock(counter.mutex);
  return counter.downloads;
}

int64_t CountCopies::waits() const {
  const std::lock_guard lock(counter.mutex);
  return counter.waits;
}

std::string CountCopies::places() const {
  const std::lock_guard lock(counter.mutex);
  std::map<std::string, int> copies;
  for (const auto& [upload, place] : counter.places)
    ++copies[(upload ? "upload: " : "download: ") + own_functions(place->get())];
  std::string text;
  for (const auto& [place, count] : copies) text += std::to_string(count) + " x " + place + "\n";
  return text;
}

}  // namespace halfstep::test

REGISTER_ALLOCATOR(c10::kPrivateUse1, &halfstep::test::allocator);
C10_REGISTER_GUARD_IMPL(PrivateUse1, c10::impl::FakeGuardImpl<c10::DeviceType::PrivateUse1>);

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  using namespace halfstep::test;  // NOLINT: its unnamed namespace
  m.impl("empty.memory_format", empty);
  m.impl("empty_strided", empty_strided);
  m.impl("as_strided", at::native::as_strided_tensorimpl);
  m.impl("view", at::native::view);
  m.impl("_reshape_alias", at::native::_reshape_alias);
  m.impl("resize_", at::native::resize_);
  m.impl("_copy_from", copy_from);
  m.impl("_copy_from_and_resize", copy_from_and_resize);
  m.impl("_local_scalar_dense", local_scalar_dense);
  m.impl("set_.source_Storage_storage_offset", set_storage);
  m.impl("_has_compatible_shallow_copy_type", compatible_shallow_copy);
  m.impl("convolution_overrideable", convolution);
  m.impl("convolution_backward_overrideable", convolution_backward);
  m.impl("native_group_norm", torch::CppFunction::makeFromBoxedFunction<&fallback>());
}

TORCH_LIBRARY_IMPL(_, PrivateUse1, m) {
  m.fallback(torch::CppFunction::makeFromBoxedFunction<&halfstep::test::fallback>());
}
