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
#include "tests/device/fake_graph.h"
#include "tests/device/fake_streams.h"

namespace halfstep::test {
namespace {

using at::Tensor;

class Allocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    void* block = device_memory().allocate(bytes);
    note_allocation(block);
    return {block, block, &release, c10::Device(c10::kPrivateUse1, 0)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* /*to*/, const void* /*from*/, size_t /*bytes*/) const override {
    TORCH_CHECK(false, "fake device: copy_data is not needed");
  }

 private:
  static void release(void* block) { device_memory().release(block); }
};
Allocator allocator;

PinnedAllocator pinned_allocator;

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
  const c10::FunctionSchema& schema = op.schema();
  for (const c10::Argument& result : schema.returns()) {
    const c10::TypeKind kind = result.type()->kind();
    if (kind != c10::TypeKind::TensorType && kind != c10::TypeKind::ListType)
      break_capture_off("a result that is not a tensor");
  }
  const auto first = stack->end() - static_cast<std::ptrdiff_t>(schema.arguments().size());
  const torch::jit::Stack arguments(first, stack->end());
  stack->erase(first, stack->end());
  torch::jit::Stack changed;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const c10::AliasInfo* const alias = schema.arguments()[i].alias_info();
    if (alias != nullptr && alias->isWrite()) changed.push_back(arguments[i]);
  }
  const torch::jit::Stack results =
      run_or_record(arguments, changed, [op](torch::jit::Stack values) {
        const Fallback running;
        at::native::cpu_fallback(op, &values);
        return values;
      });
  stack->insert(stack->end(), results.begin(), results.end());
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
  if (from.device() != to.device()) {
    count(upload, /*waits=*/!(upload && non_blocking && from.is_pinned()));
    if (Fallback::depth == 0) break_capture_off("a copy between host and device");
  }
  if (Fallback::depth > 0) {
    copy_values(from, to);
    return to;
  }
  run_or_record({from, to}, {to}, [](const torch::jit::Stack& values) {
    copy_values(values[0].toTensor(), values[1].toTensor());
    return torch::jit::Stack();
  });
  return to;
}

Tensor copy_from_and_resize(const Tensor& from, const Tensor& to) {
  to.resize_(from.sizes());
  return copy_from(from, to, false);
}

at::Scalar local_scalar_dense(const Tensor& tensor) {
  count(/*upload=*/false, /*waits=*/true);
  if (Fallback::depth == 0) break_capture_off("a read of the host");
  const OpenMemory reading(tensor);
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
  const auto run = [=, stride = stride.vec(), padding = padding.vec(), dilation = dilation.vec(),
                    output_padding = output_padding.vec()](const torch::jit::Stack& values) {
    const Fallback running;
    const Tensor input = values[0].toTensor(), bias = values[2].toTensor();
    const Tensor output =
        at::convolution(input.cpu(), values[1].toTensor().cpu(),
                        bias.defined() ? std::optional(bias.cpu()) : std::nullopt, stride, padding,
                        dilation, transposed, output_padding, groups);
    return torch::jit::Stack{output.to(input.device())};
  };
  return run_or_record({input, weight, bias.value_or(Tensor())}, {}, run)[0].toTensor();
}

std::tuple<Tensor, Tensor, Tensor> convolution_backward(
    const Tensor& grad, const Tensor& input, const Tensor& weight, at::IntArrayRef stride,
    at::IntArrayRef padding, at::IntArrayRef dilation, bool transposed,
    at::IntArrayRef output_padding, int64_t groups, std::array<bool, 3> mask) {
  const auto run = [=, stride = stride.vec(), padding = padding.vec(), dilation = dilation.vec(),
                    output_padding = output_padding.vec()](const torch::jit::Stack& values) {
    const Fallback running;
    const Tensor grad = values[0].toTensor();
    const std::vector<int64_t> bias_shape = {grad.size(1)};
    const auto [of_input, of_weight, of_bias] = at::convolution_backward(
        grad.cpu(), values[1].toTensor().cpu(), values[2].toTensor().cpu(),
        mask[2] ? at::OptionalIntArrayRef(bias_shape) : at::OptionalIntArrayRef(), stride, padding,
        dilation, transposed, output_padding, groups, mask);
    const auto on_device = [&](const Tensor& t) { return t.defined() ? t.to(grad.device()) : t; };
    return torch::jit::Stack{on_device(of_input), on_device(of_weight), on_device(of_bias)};
  };
  const torch::jit::Stack results = run_or_record({grad, input, weight}, {}, run);
  return {results[0].toTensor(), results[1].toTensor(), results[2].toTensor()};
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
    register_fake_graphs();
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
C10_REGISTER_GUARD_IMPL(PrivateUse1, halfstep::test::FakeStreams);

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
