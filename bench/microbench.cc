// Times the parts of an update, at the sizes of configs/cifar10-small.json.
//
//     halfstep_microbench [--device=cuda] --benchmark_filter='group_norm/.*/bf16'
//
// OMP_NUM_THREADS sets the number of threads. On a GPU, times include the wait for its end.
#include <benchmark/benchmark.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/cuda.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "halfstep/core/precision.h"
#include "halfstep/core/random.h"
#include "halfstep/nn/blocks.h"
#include "halfstep/nn/kernels/adam.h"
#include "halfstep/nn/kernels/group_norm.h"
#include "halfstep/nn/kernels/winograd.h"
#include "halfstep/nn/unet.h"
#include "halfstep/train/optimizer.h"

namespace halfstep {
namespace {

using benchmark::State;

constexpr int64_t kBatch = 16;
constexpr int64_t kEmb = 256;

struct Size {
  int64_t channels;
  int64_t pixels;  // height and width
};
constexpr std::array<Size, 2> kSizes = {{{64, 32}, {128, 16}}};

constexpr std::array<std::pair<Precision, std::string_view>, 2> kPrecisions = {
    {{Precision::fp32, "fp32"}, {Precision::bf16, "bf16"}}};

enum class Pass { forward, backward };
constexpr std::array<std::pair<Pass, std::string_view>, 2> kPasses = {
    {{Pass::forward, "forward"}, {Pass::backward, "forward+backward"}}};

at::Device device = at::kCPU;

Tensor normal(at::IntArrayRef shape) {
  Tensor values = at::empty(shape, at::TensorOptions().dtype(at::kFloat));
  fill_normal({.purpose = Purpose::noise},
              {values.data_ptr<float>(), static_cast<size_t>(values.numel())});
  return values.to(device);
}

void wait_for_device() {
  if (device.is_cuda()) torch::cuda::synchronize();
}

// Returns activations as they are inside the network.
Tensor activations(const Size& size, Precision precision) {
  return normal({kBatch, size.channels, size.pixels, size.pixels})
      .to(scalar_type_of(precision))
      .contiguous(at::MemoryFormat::ChannelsLast);
}

// Times `layer`, a function of x, with or without its gradients with respect to x and `parameters`.
template <class Layer>
void time_pass(State& state, Pass pass, const Tensor& x, std::vector<Tensor> parameters,
               const Layer& layer) {
  const at::AutoGradMode graph(pass == Pass::backward);
  const Tensor dy = x.detach().clone();
  parameters.push_back(x);
  for (const Tensor& input : parameters) input.requires_grad_();
  for (auto _ : state) {
    const Tensor y = layer(x);
    if (pass == Pass::backward) torch::autograd::grad({y}, parameters, {dy});
    wait_for_device();
  }
  state.SetItemsProcessed(state.iterations() * kBatch);  // images
}

using GroupNorm = Tensor (*)(const Tensor&, const Tensor&, const Tensor&, const GroupNormOptions&);

void time_group_norm(State& state, GroupNorm group_norm, Pass pass, Precision precision,
                     const Size& size) {
  const Tensor scale = normal({kBatch, size.channels});
  const Tensor shift = normal({kBatch, size.channels});
  time_pass(state, pass, activations(size, precision), {scale, shift}, [&](const Tensor& x) {
    return group_norm(x, scale, shift, {.activation = Activation::silu});
  });
}

// Times LibTorch's 3 x 3 convolution in fp32 or ours, or one of its gradients. As in an update, the
// kernel is transformed once for the forward pass and in each call for the gradient of the input.
enum class Gradient { none, input, kernel };
constexpr std::array<std::pair<Gradient, std::string_view>, 3> kGradients = {
    {{Gradient::none, "forward"}, {Gradient::input, "input"}, {Gradient::kernel, "kernel"}}};

void time_convolution(State& state, bool by_winograd, Gradient gradient, const Size& size) {
  const Tensor x = activations(size, Precision::fp32);
  const Tensor kernel =
      normal({size.channels, size.channels, 3, 3}).contiguous(at::MemoryFormat::ChannelsLast);
  const Tensor bias = normal({size.channels});
  const Tensor transformed = winograd_kernel(kernel);
  const auto ours = [&] {
    if (gradient == Gradient::none) return winograd(x, transformed, bias);
    if (gradient == Gradient::input) return winograd_input_gradient(x, kernel);
    return winograd_kernel_gradient(x, x);
  };
  const auto libtorchs = [&] {
    if (gradient == Gradient::none) return at::conv2d(x, kernel, bias, /*stride=*/1, /*padding=*/1);
    const bool of_input = gradient == Gradient::input;
    const auto [dx, dkernel, dbias] = at::convolution_backward(
        x, x, kernel, at::IntArrayRef{size.channels}, {1, 1}, {1, 1}, {1, 1}, /*transposed=*/false,
        {0, 0}, /*groups=*/1, {of_input, !of_input, false});
    return of_input ? dx : dkernel;
  };
  for (auto _ : state) benchmark::DoNotOptimize(by_winograd ? ours() : libtorchs());
  state.SetItemsProcessed(state.iterations() * kBatch);  // images
}

// Fills the parameters of one block and returns them.
std::vector<Tensor> ready(Parameters& parameters, Precision precision) {
  parameters.to(device);
  std::vector<Tensor> tensors;
  for (const NamedTensor& named : parameters.named()) {
    Tensor(named.tensor).copy_(0.1 * normal(named.tensor.sizes()));
    tensors.push_back(named.tensor);
  }
  parameters.set_precision(precision);
  return tensors;
}

void time_resnet_block(State& state, Pass pass, Precision precision, const Size& size) {
  Parameters parameters;
  const ResnetBlock block(parameters, "block",
                          {.in = size.channels, .out = size.channels, .emb = kEmb});
  const Tensor emb = normal({kBatch, kEmb});
  time_pass(state, pass, activations(size, precision), ready(parameters, precision),
            [&](const Tensor& x) { return block(x, emb, std::nullopt); });
}

void time_attention_block(State& state, Pass pass, Precision precision, const Size& size) {
  Parameters parameters;
  const AttentionBlock block(parameters, "block",
                             {.channels = size.channels, .heads = size.channels / 64});
  time_pass(state, pass, activations(size, precision), ready(parameters, precision),
            [&](const Tensor& x) { return block(x); });
}

// Times clipping, Adam and, unless `ema_decay` is 0, the EMA.
void time_optimizer(State& state, double ema_decay) {
  UNet network({.ch = 64, .emb_ch = kEmb, .ch_mult = {1, 2}, .num_heads = 1});
  network.initialize(/*seed=*/0);
  network.to(device);
  Optimizer optimizer(network, {.ema_decay = ema_decay});
  for (auto _ : state) {
    state.PauseTiming();  // sets a gradient: without one, the moments become slow denormal numbers
    for (const NamedTensor& named : network.parameters())
      Tensor(named.tensor).mutable_grad().fill_(1e-3);
    state.ResumeTiming();
    optimizer.step(/*lr=*/1e-4);
    wait_for_device();
  }
  state.SetItemsProcessed(state.iterations() * count_parameters(network));
}

using Adam = void (*)(const AdamStep&, const Tensor&, const Tensor&, const Tensor&, const Tensor&,
                      const Tensor&);

// Times one form of Adam with clipping and EMA.
void time_adam(State& state, Adam adam) {
  constexpr int64_t kParameters = int64_t{1} << 22;
  const Tensor gradient = normal({kParameters});
  const Tensor p = normal({kParameters});
  const Tensor m = normal({kParameters});
  const Tensor v = normal({kParameters}).square();
  const Tensor ema = normal({kParameters});
  const AdamStep step{.grad_scale = 0.5f, .step_size = 1e-4f, .ema_keep = 0.999f};
  for (auto _ : state) {
    state.PauseTiming();
    gradient.fill_(1e-3);
    wait_for_device();
    state.ResumeTiming();
    adam(step, gradient, p, m, v, ema);
    wait_for_device();
  }
  state.SetItemsProcessed(state.iterations() * kParameters);
}

void time_fill_normal(State& state) {
  std::vector<float> values(size_t{1} << 16);
  for (auto _ : state) {
    fill_normal({.purpose = Purpose::noise}, values);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(values.size()));
}

// Measures wall time, since other threads do most of the work.
template <class... Arguments>
void add(const std::string& name, Arguments... arguments) {
  benchmark::RegisterBenchmark(name.c_str(), arguments...)
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond);
}

void add_all() {
  for (const auto& [pass, pass_name] : kPasses) {
    for (const auto& [precision, precision_name] : kPrecisions) {
      for (const Size& size : kSizes) {
        const std::string suffix =
            "/" + std::string(pass_name) + "/" + std::string(precision_name) + "/" +
            std::to_string(size.channels) + "x" + std::to_string(size.pixels);
        add("group_norm/fused" + suffix, time_group_norm, group_norm, pass, precision, size);
        add("group_norm/plain" + suffix, time_group_norm, group_norm_plain, pass, precision, size);
        add("resnet_block" + suffix, time_resnet_block, pass, precision, size);
        if (size.pixels > 16) continue;  // the configuration has attention only at 16
        add("attention_block" + suffix, time_attention_block, pass, precision, size);
      }
    }
  }
  constexpr std::array<Size, 6> kConvolutions = {
      {{32, 28}, {64, 32}, {128, 16}, {256, 8}, {512, 8}, {1024, 8}}};
  for (const auto& [gradient, gradient_name] : kGradients) {
    for (const Size& size : kConvolutions) {
      const std::string suffix = "/" + std::string(gradient_name) + "/" +
                                 std::to_string(size.channels) + "x" + std::to_string(size.pixels);
      add("convolution/libtorch" + suffix, time_convolution, false, gradient, size);
      add("convolution/winograd" + suffix, time_convolution, true, gradient, size);
    }
  }
  add("optimizer", time_optimizer, /*ema_decay=*/0.0);
  add("optimizer/ema", time_optimizer, /*ema_decay=*/0.999);
  add("adam/fused", time_adam, adam_step);
  add("adam/libtorch", time_adam, adam_step_libtorch);
  add("adam/plain", time_adam, adam_step_plain);
  add("fill_normal", time_fill_normal);
}

}  // namespace
}  // namespace halfstep

int main(int argc, char** argv) {
  constexpr std::string_view kDevice = "--device=";
  if (argc > 1 && std::string_view(argv[1]).starts_with(kDevice)) {
    halfstep::device = at::Device(argv[1] + kDevice.size());
    argv[1] = argv[0];
    ++argv;
    --argc;
  }
  halfstep::add_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
