#include "halfstep/device/device_graph.h"

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/InferenceMode.h>

#include <cstdlib>
#include <exception>
#include <string_view>
#include <utility>

#include "halfstep/device/cuda_graph.h"
#include "halfstep/device/side_stream.h"

namespace halfstep {
namespace {

// Returns an empty graph, or null if the device has none.
std::unique_ptr<at::GraphImplInterface> make_graph(const at::Device& device) {
  if (at::has_graph_impl(device.type())) return at::create_graph_impl(device.type());
  return device.is_cuda() ? make_cuda_graph() : nullptr;
}

// Identifies the types and shapes of tensors.
std::vector<int64_t> signature_of(const std::vector<Tensor>& tensors) {
  std::vector<int64_t> signature;
  for (const Tensor& tensor : tensors) {
    signature.push_back(static_cast<int64_t>(tensor.scalar_type()));
    signature.push_back(tensor.dim());
    signature.insert(signature.end(), tensor.sizes().begin(), tensor.sizes().end());
  }
  return signature;
}

}  // namespace

bool runs_graphs(const at::Device& device) {
  if (device.is_cpu()) return false;
  const char* const wanted = std::getenv("HALFSTEP_GRAPHS");  // NOLINT(concurrency-mt-unsafe)
  if (wanted != nullptr && std::string_view(wanted) == "0") return false;
  return make_graph(device) != nullptr;
}

std::vector<Tensor> DeviceGraph::run(const std::vector<Tensor>& inputs, const Function& function) {
  const at::Device device = inputs.front().device();
  if (!capturable_ || device.is_cpu()) return function(inputs);
  const std::vector<int64_t> signature = signature_of(inputs);
  if (by_shape_.size() >= kMostShapes && !by_shape_.contains(signature)) return function(inputs);
  Captured& captured = by_shape_[signature];
  if (captured.calls == 0) captured.failed = !runs_graphs(device);
  if (captured.failed) return function(inputs);
  if (captured.graph) return replay(captured, inputs);
  if (captured.calls++ < kWarmUps) {
    std::vector<Tensor> outputs;
    on_side_stream(device, [&] { outputs = function(inputs); });
    return outputs;
  }
  if (capture(captured, inputs, function)) return replay(captured, inputs);
  captured.failed = true;
  return function(inputs);
}

// Calls `work` with another stream than the default one, on which nothing can be captured. The
// streams wait for each other.
void DeviceGraph::on_side_stream(const at::Device& device, const std::function<void()>& work) {
  if (!side_) side_ = std::make_unique<SideStream>(device);
  synchronize(device);
  side_->run(work);
}

// Returns false if the function cannot be captured. Nothing was computed in either case.
bool DeviceGraph::capture(Captured& captured, const std::vector<Tensor>& inputs,
                          const Function& function) {
  const at::Device device = inputs.front().device();
  {
    const c10::InferenceMode ordinary(false);  // later calls may come from either mode
    for (const Tensor& input : inputs) captured.inputs.push_back(at::empty_like(input));
  }
  std::unique_ptr<at::GraphImplInterface> graph = make_graph(device);
  bool works = false;
  on_side_stream(device, [&] {
    // Other threads may allocate memory and copy meanwhile.
    graph->capture_begin(/*pool=*/{0, 0}, at::GraphCaptureMode::ThreadLocal);
    try {
      captured.outputs = function(captured.inputs);
      works = true;
    } catch (const std::exception&) {
      // The function runs once more, operator by operator, and throws what is an error there, too.
    }
    try {
      graph->capture_end();
    } catch (const std::exception&) {  // a capture that was broken off cannot end well
      works = false;
    }
  });
  if (works) {
    captured.graph = std::move(graph);
  } else {
    captured.inputs.clear();
    captured.outputs.clear();
  }
  return works;
}

std::vector<Tensor> DeviceGraph::replay(Captured& captured, const std::vector<Tensor>& inputs) {
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < inputs.size(); ++i) captured.inputs[i].copy_(inputs[i]);
  captured.graph->replay();
  std::vector<Tensor> outputs;
  outputs.reserve(captured.outputs.size());
  for (const Tensor& output : captured.outputs) outputs.push_back(output.clone());
  return outputs;
}

}  // namespace halfstep
